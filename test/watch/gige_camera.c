/* A camera of GigE Vision that is none, at the loopback of this machine, for test_camera: gige_camera LOST, where LOST of its
 * packets, 0 to 1, are never sent. Says "running" when it is there, and lives until its standard input ends. One at a time, since all have the same address: another waits. */
#include <arv.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

int main(int count, char **texts) {
    char rest[64], *path = g_build_filename(g_get_tmp_dir(), "efficientad_gige_camera.lock", NULL);
    if (count != 2) return 2;
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (lock < 0 || flock(lock, LOCK_EX) != 0) return 1;
    ArvGvFakeCamera *camera = arv_gv_fake_camera_new(NULL, NULL);
    g_object_set(camera, "gvsp-lost-ratio", strtod(texts[1], NULL), NULL);
    if (!arv_gv_fake_camera_is_running(camera)) return 1;
    puts("running");
    fflush(stdout);
    while (read(STDIN_FILENO, rest, sizeof rest) > 0) continue;
    return 0; /* the system takes back what it has */
}
