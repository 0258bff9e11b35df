// The program of guardian pods: it does nothing, takes next to no memory, and ends at once when it is asked to.
// As the first process of a container it also inherits orphans, which it buries.
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void End(int signal_number) {
  (void)signal_number;
  _exit(0);
}

static void Bury(int signal_number) {
  (void)signal_number;
  while (waitpid(-1, NULL, WNOHANG) > 0) {
  }
}

static int Handle(int signal_number, void (*handler)(int), int flags) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  action.sa_flags = flags;
  return sigaction(signal_number, &action, NULL);
}

int main(void) {
  if (Handle(SIGTERM, End, 0) != 0 || Handle(SIGINT, End, 0) != 0 ||
      Handle(SIGCHLD, Bury, SA_NOCLDSTOP) != 0) {
    perror("sigaction");
    return 1;
  }
  for (;;) pause();
}
