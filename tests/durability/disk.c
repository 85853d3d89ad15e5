/* A disk and a clock that a test holds in its hand, put before those of the system with LD_PRELOAD.
 *
 * What they do stands in files of the folder $TEST_DISK, looked up at each call: it can change while the program runs.
 *   full, readonly, broken   each write to the database fails with ENOSPC, EROFS, EIO
 *   slow                     each fsync of the database takes so many milliseconds more
 *   clock                    the clock of the day is so many seconds off
 *   kept/                    a folder: what of the database is surely on the disk. At each fsync the file is copied
 *                            there, so that the test can have the power fail
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int place(char *path, size_t size, const char *name) {
    const char *folder = getenv("TEST_DISK");
    return folder && snprintf(path, size, "%s/%s", folder, name) < (int)size;
}

static int is_set(const char *name) {
    char path[512];
    int before = errno, set = place(path, sizeof path, name) && access(path, F_OK) == 0;
    errno = before;
    return set;
}

/* What a file says; 0 if there is none. */
static long said(const char *name) {
    char path[512], text[32] = "";
    int before = errno;
    if (place(path, sizeof path, name)) {
        int file = open(path, O_RDONLY | O_CLOEXEC);
        if (file >= 0) {
            if (read(file, text, sizeof text - 1) < 0) text[0] = 0;
            close(file);
        }
    }
    errno = before;
    return atol(text);
}

/* The path of a file of the database, or NULL. */
static const char *of_database(int fd, char *path, size_t size) {
    char link[64];
    int before = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, size - 1);
    errno = before;
    if (length < 0) return NULL;
    path[length] = 0;
    return strstr(path, "/parlor.db") ? path : NULL;
}

/* Why a write to this file fails; 0 if it does not. */
static int refusal(int fd) {
    char path[512];
    int why = is_set("full") ? ENOSPC : is_set("readonly") ? EROFS : is_set("broken") ? EIO : 0;
    return why && of_database(fd, path, sizeof path) ? why : 0;
}

ssize_t write(int fd, const void *bytes, size_t count) {
    int why = refusal(fd);
    if (why) { errno = why; return -1; }
    return REAL(write)(fd, bytes, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    int why = refusal(fd);
    if (why) { errno = why; return -1; }
    return REAL(pwrite)(fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
    int why = refusal(fd);
    if (why) { errno = why; return -1; }
    return REAL(pwrite64)(fd, bytes, count, at);
}

int ftruncate(int fd, off_t size) {
    int why = refusal(fd);
    if (why) { errno = why; return -1; }
    return REAL(ftruncate)(fd, size);
}

int ftruncate64(int fd, off64_t size) {
    int why = refusal(fd);
    if (why) { errno = why; return -1; }
    return REAL(ftruncate64)(fd, size);
}

/* Copies a file to what is kept, whole or not at all. It is read through the descriptor that there is: to close another
 * one would end SQLite's locks on the file. */
static void keep(int fd, const char *path) {
    static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
    static char bytes[1 << 16];
    char name[256], to[512], fresh[520];
    snprintf(name, sizeof name, "kept/%s", strrchr(path, '/') + 1);
    if (!place(to, sizeof to, name)) return;
    snprintf(fresh, sizeof fresh, "%s.new", to);
    pthread_mutex_lock(&one);
    int out = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t count;
    off_t at = 0;
    while (out >= 0 && (count = pread(fd, bytes, sizeof bytes, at)) > 0) {
        if (REAL(write)(out, bytes, count) != count) abort();
        at += count;
    }
    if (out >= 0) {
        close(out);
        rename(fresh, to);
    }
    pthread_mutex_unlock(&one);
}

static int synced(int fd, int (*sync)(int)) {
    char path[512];
    const char *database = of_database(fd, path, sizeof path);
    if (database) {
        long slow = said("slow");
        if (slow) usleep(slow * 1000);
        if (is_set("broken")) { errno = EIO; return -1; }
    }
    int done = sync(fd);
    if (done == 0 && database && is_set("kept")) keep(fd, database);
    return done;
}

int fsync(int fd) { return synced(fd, REAL(fsync)); }
int fdatasync(int fd) { return synced(fd, REAL(fdatasync)); }

int clock_gettime(clockid_t clock, struct timespec *now) {
    int done = REAL(clock_gettime)(clock, now);
    if (done == 0 && clock == CLOCK_REALTIME) now->tv_sec += said("clock");
    return done;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    int done = REAL(gettimeofday)(now, zone);
    if (done == 0) now->tv_sec += said("clock");
    return done;
}

time_t time(time_t *to) {
    time_t now = REAL(time)(NULL) + said("clock");
    if (to) *to = now;
    return now;
}
