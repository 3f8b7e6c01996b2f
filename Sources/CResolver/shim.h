#pragma once
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>

// Asks DNS for records of a name, with the servers and the search list of /etc/resolv.conf; over TCP where an answer
// is too large for UDP. `server` and `port` take the place of the configured servers. Blocks until it has an answer or
// gives up. Returns the length of the answer, or the negative of h_errno.
static inline int millrace_dns_query(const char *name, int type, const char *server, int port, unsigned char *answer,
                                     int size) {
  struct __res_state state;
  memset(&state, 0, sizeof(state));
  if (res_ninit(&state) != 0) return -NO_RECOVERY;
  if (server != NULL) {
    memset(&state.nsaddr_list[0], 0, sizeof(state.nsaddr_list[0]));
    state.nsaddr_list[0].sin_family = AF_INET;
    state.nsaddr_list[0].sin_port = htons((unsigned short)port);
    if (inet_pton(AF_INET, server, &state.nsaddr_list[0].sin_addr) != 1) {
      res_nclose(&state);
      return -NO_RECOVERY;
    }
    state.nscount = 1;
    state.retrans = 1;
    state.retry = 2;
  }
  int length = res_nsearch(&state, name, ns_c_in, type, answer, size);
  int problem = state.res_h_errno;
  res_nclose(&state);
  if (length >= 0) return length > size ? size : length;
  return problem > 0 ? -problem : -NO_RECOVERY;
}
