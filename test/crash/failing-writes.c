/*
 * Preloaded into a process (LD_PRELOAD), it numbers every call that writes below one folder, whoever makes it: Node's
 * thread pool, its worker threads, SQLite, or code called through koffi. At the point that it is told, the call fails or the process dies.
 *
 * A point is told by its kind, its path below the folder with ids and numbers left out, and how often that came before in
 * this process, not by one number for all: threads take turns as they like, and the order of calls differs from run to run.
 *
 *   VARVE_CRASH_ROOT     the folder; paths are absolute
 *   VARVE_CRASH_PROGRAM  only in a process whose command line holds this
 *   VARVE_CRASH_TRACE    a file: each point, or only the one that was reached, is appended as a line "kind\tpath\tordinal"
 *   VARVE_CRASH_POINT    such a line; without one, all are listed and nothing fails
 *   VARVE_CRASH_HOW      fail, full (fails, and so does all that needs room from then on), short, before, during, after
 *
 * Of SQLite, what its own log makes harmless is left out, unless VARVE_CRASH_PAGES is set: pages of a database, and of
 * its log those before a transaction's last. A transaction's last page in the log is the point "commit".
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum act { PASS, FAIL, SHORT, DURING, AFTER };

/* What a call needs, and so how it fails. */
enum need { ROOM, DISK };

#define PATH_BYTES 4096
#define LINE_BYTES (PATH_BYTES + 64)
#define MOST_CLASSES 4096
#define MOST_FDS 4096
#define WAL_FRAME_HEADER_BYTES 24

static struct {
  const char *root;
  size_t root_bytes;
  const char *target;
  const char *how;
  int lists_pages;
  int trace;
} told = {.trace = -1};

static struct {
  char *name;
  int count;
} classes[MOST_CLASSES];
static int class_count;
static int is_full;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
/* The page that a chosen commit is about to write to a log, by its descriptor. */
static enum act commit_page[MOST_FDS];

static int command_line_holds(const char *word) {
  char line[PATH_BYTES];
  int fd = syscall(SYS_openat, AT_FDCWD, "/proc/self/cmdline", O_RDONLY);
  ssize_t got = fd < 0 ? 0 : syscall(SYS_read, fd, line, sizeof line);
  syscall(SYS_close, fd);
  return got > 0 && memmem(line, got, word, strlen(word)) != NULL;
}

__attribute__((constructor)) static void begin(void) {
  const char *program = getenv("VARVE_CRASH_PROGRAM"), *trace = getenv("VARVE_CRASH_TRACE");
  const char *root = getenv("VARVE_CRASH_ROOT");
  if (!root || !trace || (program && !command_line_holds(program))) return;
  told.trace = syscall(SYS_openat, AT_FDCWD, trace, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  told.target = getenv("VARVE_CRASH_POINT");
  told.how = getenv("VARVE_CRASH_HOW");
  told.lists_pages = getenv("VARVE_CRASH_PAGES") != NULL;
  told.root_bytes = strlen(root);
  told.root = root;
}

static void die(void) {
  syscall(SYS_kill, getpid(), SIGKILL);
  for (;;) pause();
}

static int is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

static int is_digit(char c) { return c >= '0' && c <= '9'; }

static size_t run_of(const char *text, int (*belongs)(char), char also) {
  size_t length = 0;
  while (text[length] && (belongs(text[length]) || text[length] == also)) length++;
  return length;
}

static int ends_segment(char c) { return c == '/' || c == 0; }

/* "packs/3f/3f01…" is "packs/@/@", "overlay.json.4711.new" is "overlay.json.#.new". */
static void without_ids(const char *path, char *name) {
  char before = '/';
  while (*path) {
    size_t hex = run_of(path, is_hex, '-'), digits = run_of(path, is_digit, 0);
    int begins = before == '/';
    if (hex >= 12 || (hex == 2 && begins && ends_segment(path[2]))) {
      *name++ = '@';
      path += hex;
    } else if (digits >= 3) {
      *name++ = '#';
      path += digits;
    } else {
      *name++ = *path++;
    }
    before = path[-1];
  }
  *name = 0;
}

static int ends_with(const char *text, const char *end) {
  size_t a = strlen(text), b = strlen(end);
  return a >= b && strcmp(text + a - b, end) == 0;
}

static int next_of(const char *class) {
  for (int i = 0; i < class_count; i++)
    if (strcmp(classes[i].name, class) == 0) return ++classes[i].count;
  if (class_count < MOST_CLASSES) {
    classes[class_count].name = strdup(class);
    classes[class_count++].count = 1;
  }
  return 1;
}

static void note(const char *line) {
  char text[LINE_BYTES + 32];
  size_t bytes = snprintf(text, sizeof text, "%s\n", line);
  syscall(SYS_write, told.trace, text, bytes);
}

static enum act act_of(const char *how) {
  if (strcmp(how, "fail") == 0) return FAIL;
  if (strcmp(how, "short") == 0) return SHORT;
  if (strcmp(how, "during") == 0) return DURING;
  if (strcmp(how, "after") == 0) return AFTER;
  if (strcmp(how, "full") == 0) is_full = 1;
  else die();
  return FAIL;
}

/* One call that would write at `path`; what is to come of it. */
static enum act point(const char *kind, const char *path, enum need need) {
  if (!told.root || !path || strncmp(path, told.root, told.root_bytes) != 0) return PASS;
  if (path[told.root_bytes] != '/' || ends_with(path, "-shm")) return PASS;
  int saved = errno;
  char name[PATH_BYTES], class[LINE_BYTES], line[LINE_BYTES + 16];
  without_ids(path + told.root_bytes + 1, name);
  snprintf(class, sizeof class, "%s\t%s", kind, name);
  pthread_mutex_lock(&turn);
  snprintf(line, sizeof line, "%s\t%d", class, next_of(class));
  enum act act = is_full && need == ROOM ? FAIL : PASS;
  if (!told.target) {
    note(line);
  } else if (act == PASS && strcmp(line, told.target) == 0) {
    note(line);
    act = act_of(told.how);
  }
  pthread_mutex_unlock(&turn);
  errno = saved;
  return act;
}

static int failed(enum need need) {
  errno = need == ROOM ? ENOSPC : EIO;
  return -1;
}

/* Gives NULL for what is no file with a name. */
static const char *path_of(int fd, char *path) {
  char link[64];
  if (!told.root || fd < 0) return NULL;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t bytes = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_BYTES - 1);
  if (bytes <= 0 || path[0] != '/') return NULL;
  path[bytes] = 0;
  return ends_with(path, " (deleted)") ? NULL : path;
}

static int is_there(const char *path) {
  return syscall(SYS_faccessat, AT_FDCWD, path, F_OK) == 0 ||
         syscall(SYS_readlinkat, AT_FDCWD, path, (char[1]){0}, 1) >= 0;
}

#define REAL(name)                                         \
  static __typeof__(name) *real;                           \
  if (!real) {                                             \
    int saved = errno;                                     \
    real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name);    \
    errno = saved;                                         \
  }

/* Calls that are done or not, and nothing between. */
#define WHOLE(kind, path, need, matters, call)              \
  do {                                                      \
    enum act act = (matters) ? point(kind, path, need) : PASS; \
    if (act == FAIL) return failed(need);                   \
    int result = call;                                      \
    if (act == AFTER) die();                                \
    return result;                                          \
  } while (0)

int rename(const char *from, const char *to) {
  REAL(rename);
  WHOLE("rename", to, DISK, is_there(from), real(from, to));
}

int link(const char *from, const char *to) {
  REAL(link);
  WHOLE("link", to, ROOM, !is_there(to), real(from, to));
}

int symlink(const char *target, const char *path) {
  REAL(symlink);
  WHOLE("symlink", path, ROOM, !is_there(path), real(target, path));
}

int unlink(const char *path) {
  REAL(unlink);
  WHOLE("unlink", path, DISK, is_there(path), real(path));
}

int rmdir(const char *path) {
  REAL(rmdir);
  WHOLE("rmdir", path, DISK, is_there(path), real(path));
}

int mkdir(const char *path, mode_t mode) {
  REAL(mkdir);
  WHOLE("mkdir", path, ROOM, !is_there(path), real(path, mode));
}

int fsync(int fd) {
  char path[PATH_BYTES];
  REAL(fsync);
  WHOLE("sync", path_of(fd, path), DISK, 1, real(fd));
}

int fdatasync(int fd) {
  char path[PATH_BYTES];
  REAL(fdatasync);
  WHOLE("sync", path_of(fd, path), DISK, 1, real(fd));
}

int fchmod(int fd, mode_t mode) {
  char path[PATH_BYTES];
  REAL(fchmod);
  WHOLE("chmod", path_of(fd, path), DISK, 1, real(fd, mode));
}

int chmod(const char *path, mode_t mode) {
  REAL(chmod);
  WHOLE("chmod", path, DISK, 1, real(path, mode));
}

int ftruncate(int fd, off_t bytes) {
  char path[PATH_BYTES];
  REAL(ftruncate);
  WHOLE("truncate", path_of(fd, path), DISK, 1, real(fd, bytes));
}

int ftruncate64(int fd, off64_t bytes) {
  char path[PATH_BYTES];
  REAL(ftruncate64);
  WHOLE("truncate", path_of(fd, path), DISK, 1, real(fd, bytes));
}

int fallocate(int fd, int mode, off_t offset, off_t bytes) {
  char path[PATH_BYTES];
  REAL(fallocate);
  WHOLE("allocate", path_of(fd, path), ROOM, 1, real(fd, mode, offset, bytes));
}

int fallocate64(int fd, int mode, off64_t offset, off64_t bytes) {
  char path[PATH_BYTES];
  REAL(fallocate64);
  WHOLE("allocate", path_of(fd, path), ROOM, 1, real(fd, mode, offset, bytes));
}

/* Opening writes where it makes a file, or empties one. */
static int opens_to_write(const char *path, int flags) {
  if ((flags & O_CREAT) && !is_there(path)) return 1;
  return (flags & O_TRUNC) && (flags & O_ACCMODE) != O_RDONLY;
}

#define MODE_OF(flags)                                 \
  mode_t mode = 0;                                     \
  if ((flags) & (O_CREAT | __O_TMPFILE)) {             \
    va_list rest;                                      \
    va_start(rest, flags);                             \
    mode = va_arg(rest, mode_t);                       \
    va_end(rest);                                      \
  }

int open(const char *path, int flags, ...) {
  REAL(open);
  MODE_OF(flags);
  WHOLE("open", path, ROOM, told.root && opens_to_write(path, flags), real(path, flags, mode));
}

int open64(const char *path, int flags, ...) {
  REAL(open64);
  MODE_OF(flags);
  WHOLE("open", path, ROOM, told.root && opens_to_write(path, flags), real(path, flags, mode));
}

/* Whether the bytes are the header of a transaction's last frame: it says how many pages the database has then. */
static int is_commit(const struct iovec *parts, int count) {
  const unsigned char *header = parts[0].iov_base;
  return count == 1 && parts[0].iov_len == WAL_FRAME_HEADER_BYTES && memcmp(header + 4, "\0\0\0\0", 4) != 0;
}

static int is_database(const char *path) { return ends_with(path, ".db") || ends_with(path, ".db-journal"); }

/* Not a point of its own; but on a disk that is full it fails like all else. */
static enum act act_of_page(const char *path) {
  return told.lists_pages || is_full ? point("page", path, ROOM) : PASS;
}

static enum act act_of_log(int fd, const char *path, const struct iovec *parts, int count) {
  if (fd < MOST_FDS && commit_page[fd] != PASS) return commit_page[fd];
  if (!is_commit(parts, count)) return act_of_page(path);
  enum act act = point("commit", path, ROOM);
  if (act == FAIL || fd >= MOST_FDS) return act;
  commit_page[fd] = act;
  return PASS;
}

static enum act act_of_write(int fd, const struct iovec *parts, int count) {
  char path[PATH_BYTES];
  if (!path_of(fd, path)) return PASS;
  if (ends_with(path, "-wal")) return act_of_log(fd, path, parts, count);
  return is_database(path) ? act_of_page(path) : point("write", path, ROOM);
}

static size_t bytes_of(const struct iovec *parts, int count) {
  size_t bytes = 0;
  for (int i = 0; i < count; i++) bytes += parts[i].iov_len;
  return bytes;
}

/* Writes the first half, at `offset`, or where the file is at when that is negative. */
static ssize_t write_half(int fd, const struct iovec *parts, int count, off64_t offset) {
  size_t left = (bytes_of(parts, count) + 1) / 2;
  ssize_t done = 0;
  for (int i = 0; i < count && left > 0; i++) {
    size_t bytes = parts[i].iov_len < left ? parts[i].iov_len : left;
    ssize_t got = offset < 0 ? syscall(SYS_write, fd, parts[i].iov_base, bytes)
                             : syscall(SYS_pwrite64, fd, parts[i].iov_base, bytes, offset + done);
    if (got < 0) return done > 0 ? done : got;
    done += got;
    left -= got;
  }
  return done;
}

#define WRITE(fd, parts, count, offset, call)                       \
  do {                                                              \
    enum act act = told.root ? act_of_write(fd, parts, count) : PASS; \
    if (act == FAIL) return failed(ROOM);                           \
    if (act == SHORT) return write_half(fd, parts, count, offset);  \
    if (act == DURING) {                                            \
      write_half(fd, parts, count, offset);                         \
      die();                                                        \
    }                                                               \
    ssize_t result = call;                                          \
    if (act == AFTER) die();                                        \
    return result;                                                  \
  } while (0)

ssize_t write(int fd, const void *bytes, size_t length) {
  REAL(write);
  struct iovec part = {(void *)bytes, length};
  WRITE(fd, &part, 1, -1, real(fd, bytes, length));
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
  REAL(pwrite);
  struct iovec part = {(void *)bytes, length};
  WRITE(fd, &part, 1, offset, real(fd, bytes, length, offset));
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
  REAL(pwrite64);
  struct iovec part = {(void *)bytes, length};
  WRITE(fd, &part, 1, offset, real(fd, bytes, length, offset));
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  REAL(writev);
  WRITE(fd, parts, count, -1, real(fd, parts, count));
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
  REAL(pwritev);
  WRITE(fd, parts, count, offset, real(fd, parts, count, offset));
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) {
  REAL(pwritev64);
  WRITE(fd, parts, count, offset, real(fd, parts, count, offset));
}

ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t bytes, unsigned flags) {
  char path[PATH_BYTES];
  REAL(copy_file_range);
  enum act act = point("write", path_of(out, path), ROOM);
  if (act == FAIL) return failed(ROOM);
  ssize_t result = real(in, from, out, to, act == PASS || act == AFTER ? bytes : (bytes + 1) / 2, flags);
  if (act == AFTER || act == DURING) die();
  return result;
}
