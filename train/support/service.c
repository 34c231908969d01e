/* A datagram, a line, files. */
#include "train/support/service.h"

#include "core/base/file_bytes.h"
#include "core/base/printing.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { MOST_SECRET = 4096, MOST_PEM = 1 << 20 };

void ead_service_notify(const char *state) {
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = path ? strlen(path) : 0;
    if (length < 2 || length >= sizeof address.sun_path) return;
    memcpy(address.sun_path, path, length);
    if (path[0] == '@') address.sun_path[0] = '\0'; /* an abstract name */
    int sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sender < 0) return;
    sendto(sender, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address,
           (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
    close(sender);
}

void ead_service_tell_late(void) {
    static const char text[] =
        "efficientad: ended at once, with what was under way: the time for it was over (--exit-timeout)\n";
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0) return;
}

EadStatus ead_secret_text(const char *option, const char *path, size_t most, char **text) {
    size_t size;
    EadStatus status = ead_read_file(path, most, text, &size);
    if (status != EAD_OK) return ead_fail_prefix(status, "%s: ", option);
    if (strlen(*text) == size) return EAD_OK;
    free(*text);
    *text = NULL;
    return ead_fail(EAD_BAD_FILE, "%s: %s: has a zero byte in it, so it is no text", option, path);
}

void ead_secret_warn(const char *option, const char *path) {
    struct stat info;
    if (stat(path, &info) == 0 && S_ISREG(info.st_mode) && (info.st_mode & S_IROTH))
        ead_print(stderr, "%s: every account of this machine can read %s; chmod o-r takes that back\n",
                  option, path);
}

EadStatus ead_pem_read(const char *option, const char *path, const char *what, char **pem) {
    *pem = NULL;
    if (!path) return EAD_OK;
    EAD_TRY(ead_secret_text(option, path, MOST_PEM, pem));
    bool locked = strstr(*pem, "ENCRYPTED") != NULL;
    if (!locked && strstr(*pem, "-----BEGIN ") && strstr(*pem, what)) return EAD_OK;
    free(*pem);
    *pem = NULL;
    if (locked)
        return ead_fail(EAD_BAD_FILE,
                        "%s: %s: is locked with a password; openssl pkey -in %s -out FILE writes it without",
                        option, path, path);
    return ead_fail(EAD_BAD_FILE, "%s: %s: there is no \"%s\" of PEM in it", option, path, what);
}

EadStatus ead_secret_read(const char *option, const char *path, char **secret) {
    *secret = NULL;
    if (!path) return EAD_OK;
    EAD_TRY(ead_secret_text(option, path, MOST_SECRET, secret));
    (*secret)[strcspn(*secret, "\r\n")] = '\0';
    bool visible = **secret != '\0';
    for (const char *at = *secret; *at; at++) visible = visible && isgraph((unsigned char)*at);
    if (visible) return EAD_OK;
    free(*secret);
    *secret = NULL;
    return ead_fail(EAD_BAD_FILE, "%s: %s: its first line must be a secret of visible letters without blanks",
                    option, path);
}
