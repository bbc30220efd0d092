/**
 * Tells a service manager that started this process (systemd, `Type=notify`) when the mount can be used, and that its
 * commit takes longer than a stop usually may. Without one nothing is told.
 * Source: https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
 */
import { sendDatagram } from "../fs/transport/kernel/syscalls.js";

/** How much more time a stop asks for, and how often it does. */
const EXTENDS_BY_MS = 30_000;
const EXTENDS_EVERY_MS = 10_000;

export class ServiceManager {
  #stopping: NodeJS.Timeout | undefined;

  constructor(private readonly socket = process.env["NOTIFY_SOCKET"]) {}

  /** @param status A line for `systemctl status`. */
  ready(status: string): void {
    this.#tell(`READY=1\nSTATUS=${status}`);
  }

  /** It was asked to stop, and may have to commit first. Twice is the same as once. */
  stopping(): void {
    if (this.#stopping) return;
    this.#tell("STOPPING=1\nSTATUS=Unmounting; what was changed is committed");
    const extend = () => this.#tell(`EXTEND_TIMEOUT_USEC=${EXTENDS_BY_MS * 1000}`);
    this.#stopping = setInterval(extend, EXTENDS_EVERY_MS).unref();
    extend();
  }

  end(): void {
    clearInterval(this.#stopping);
  }

  #tell(text: string): void {
    if (this.socket) sendDatagram(this.socket, text);
  }
}
