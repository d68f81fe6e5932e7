/*
 * What the kernel can do: one file over one TCP connection on loopback, by sendfile(2) on one side
 * and splice(2) on the other, two processes, nothing else. `reference SOURCE TARGET`.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SEND_BYTES = 8 << 20, PIPE_BYTES = 1 << 20 };

static void fail(const char *what) {
  fprintf(stderr, "reference: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void send_file(const char *path, const struct sockaddr_in *to) {
  int file = open(path, O_RDONLY);
  struct stat status;
  if (file < 0 || fstat(file, &status) < 0) fail(path);
  int connection = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(connection, (const struct sockaddr *)to, sizeof *to) < 0) fail("connect");
  off_t offset = 0;
  while (offset < status.st_size) {
    ssize_t sent = sendfile(connection, file, &offset, SEND_BYTES);
    if (sent < 0) fail("sendfile");
    if (sent == 0) break;
  }
  close(connection);
  exit(0);
}

static void receive_file(int connection, const char *path) {
  int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (file < 0) fail(path);
  int ends[2];
  if (pipe(ends) < 0) fail("pipe");
  fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES);
  for (;;) {
    ssize_t got = splice(connection, NULL, ends[1], NULL, PIPE_BYTES, SPLICE_F_MOVE);
    if (got < 0) fail("splice from the connection");
    if (got == 0) break;
    while (got > 0) {
      ssize_t put = splice(ends[0], NULL, file, NULL, got, SPLICE_F_MOVE);
      if (put <= 0) fail("splice into the file");
      got -= put;
    }
  }
  if (close(file) < 0) fail(path);
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: reference SOURCE TARGET\n");
    return 2;
  }
  struct sockaddr_in address = {.sin_family = AF_INET};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr *)&address, length) < 0) fail("bind");
  if (listen(listener, 1) < 0) fail("listen");
  if (getsockname(listener, (struct sockaddr *)&address, &length) < 0) fail("getsockname");
  pid_t sender = fork();
  if (sender < 0) fail("fork");
  if (sender == 0) send_file(argv[1], &address);
  int connection = accept(listener, NULL, NULL);
  if (connection < 0) fail("accept");
  receive_file(connection, argv[2]);
  int status = 0;
  if (waitpid(sender, &status, 0) < 0 || status != 0) return 1;
  return 0;
}
