#define _GNU_SOURCE
#include "clinux.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

int millrace_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

void millrace_eventfd_wake(int descriptor) {
  int before = errno;
  eventfd_write(descriptor, 1);
  errno = before;
}

void millrace_eventfd_clear(int descriptor) {
  int before = errno;
  eventfd_t count;
  eventfd_read(descriptor, &count);
  errno = before;
}

void millrace_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

void millrace_count_drops(int descriptor) {
  int on = 1;
  setsockopt(descriptor, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
}

static void set_peer(millrace_datagram *datagram, const struct sockaddr_storage *name) {
  datagram->family = 0;
  datagram->port = 0;
  if (name->ss_family == AF_INET) {
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)name;
    datagram->family = 4;
    datagram->port = ntohs(v4->sin_port);
    memcpy(datagram->address, &v4->sin_addr, 4);
  } else if (name->ss_family == AF_INET6) {
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)name;
    datagram->port = ntohs(v6->sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
      // A peer over IPv4 at a socket for both families.
      datagram->family = 4;
      memcpy(datagram->address, v6->sin6_addr.s6_addr + 12, 4);
    } else {
      datagram->family = 6;
      memcpy(datagram->address, &v6->sin6_addr, 16);
    }
  }
}

int millrace_receive_datagrams(int descriptor, uint8_t *buffer, size_t size, int count, millrace_datagram *datagrams,
                               uint32_t *dropped) {
  struct mmsghdr headers[MILLRACE_MOST_DATAGRAMS];
  struct iovec vectors[MILLRACE_MOST_DATAGRAMS];
  struct sockaddr_storage names[MILLRACE_MOST_DATAGRAMS];
  union {
    char bytes[CMSG_SPACE(sizeof(uint32_t))];
    struct cmsghdr aligned;
  } control[MILLRACE_MOST_DATAGRAMS];
  if (count > MILLRACE_MOST_DATAGRAMS) count = MILLRACE_MOST_DATAGRAMS;
  for (int index = 0; index < count; index++) {
    vectors[index].iov_base = buffer + (size_t)index * size;
    vectors[index].iov_len = size;
    memset(&headers[index], 0, sizeof headers[index]);
    headers[index].msg_hdr.msg_iov = &vectors[index];
    headers[index].msg_hdr.msg_iovlen = 1;
    headers[index].msg_hdr.msg_name = &names[index];
    headers[index].msg_hdr.msg_namelen = sizeof names[index];
    headers[index].msg_hdr.msg_control = &control[index];
    headers[index].msg_hdr.msg_controllen = sizeof control[index];
    names[index].ss_family = AF_UNSPEC;
  }
  int received = recvmmsg(descriptor, headers, (unsigned)count, MSG_DONTWAIT, NULL);
  for (int index = 0; index < received; index++) {
    struct msghdr *header = &headers[index].msg_hdr;
    datagrams[index].length = headers[index].msg_len;
    datagrams[index].is_cut = (header->msg_flags & MSG_TRUNC) != 0;
    set_peer(&datagrams[index], &names[index]);
    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
      if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SO_RXQ_OVFL) {
        memcpy(dropped, CMSG_DATA(part), sizeof *dropped);
      }
    }
  }
  return received;
}

int millrace_name_of_address(const char *address, char *name, size_t size) {
  struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_family = AF_UNSPEC};
  struct addrinfo *found = NULL;
  int result = getaddrinfo(address, NULL, &hints, &found);
  if (result != 0) return result;
  result = getnameinfo(found->ai_addr, found->ai_addrlen, name, (socklen_t)size, NULL, 0, NI_NAMEREQD);
  freeaddrinfo(found);
  return result;
}

int millrace_host_name(char *name, size_t size) {
  if (gethostname(name, size) != 0) return errno;
  name[size - 1] = 0;
  return 0;
}

int millrace_canonical_name(const char *host, char *name, size_t size) {
  struct addrinfo hints = {.ai_flags = AI_CANONNAME, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  struct addrinfo *found = NULL;
  int result = getaddrinfo(host, NULL, &hints, &found);
  if (result != 0) return result;
  const char *canonical = found->ai_canonname;
  result = canonical == NULL || strlen(canonical) >= size ? EAI_NONAME : 0;
  if (result == 0) strcpy(name, canonical);
  freeaddrinfo(found);
  return result;
}

int millrace_reverse_name(const char *host, char *name, size_t size) {
  struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  struct addrinfo *found = NULL;
  int result = getaddrinfo(host, NULL, &hints, &found);
  if (result != 0) return result;
  result = EAI_NONAME;
  for (struct addrinfo *one = found; one != NULL && result != 0; one = one->ai_next)
    result = getnameinfo(one->ai_addr, one->ai_addrlen, name, (socklen_t)size, NULL, 0, NI_NAMEREQD);
  freeaddrinfo(found);
  return result;
}

int millrace_system_name(char *text, size_t size) {
  struct utsname system;
  if (uname(&system) != 0) return errno;
  int length = snprintf(text, size, "%s\n%s\n%s\n%s\n%s", system.sysname, system.nodename, system.release,
                        system.version, system.machine);
  return length < 0 || (size_t)length >= size ? ENAMETOOLONG : 0;
}

int millrace_interfaces(char *text, size_t size) {
  struct ifaddrs *all = NULL;
  if (getifaddrs(&all) != 0) return errno;
  size_t used = 0;
  text[0] = 0;
  for (struct ifaddrs *one = all; one != NULL; one = one->ifa_next) {
    if (one->ifa_addr == NULL || !(one->ifa_flags & IFF_UP) || (one->ifa_flags & IFF_LOOPBACK)) continue;
    char line[64] = "";
    char address[INET6_ADDRSTRLEN];
    if (one->ifa_addr->sa_family == AF_INET) {
      const struct sockaddr_in *in = (const struct sockaddr_in *)one->ifa_addr;
      if (inet_ntop(AF_INET, &in->sin_addr, address, sizeof address) == NULL) continue;
      snprintf(line, sizeof line, "i%s\n", address);
    } else if (one->ifa_addr->sa_family == AF_INET6) {
      const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)one->ifa_addr;
      if (inet_ntop(AF_INET6, &in->sin6_addr, address, sizeof address) == NULL) continue;
      snprintf(line, sizeof line, "i%s\n", address);
    } else if (one->ifa_addr->sa_family == AF_PACKET) {
      const struct sockaddr_ll *link = (const struct sockaddr_ll *)one->ifa_addr;
      if (link->sll_halen == 0 || link->sll_halen > sizeof link->sll_addr) continue;
      size_t length = 0;
      line[length++] = 'm';
      for (unsigned char index = 0; index < link->sll_halen; index++)
        length += (size_t)snprintf(line + length, sizeof line - length, index == 0 ? "%02X" : "-%02X",
                                   link->sll_addr[index]);
      snprintf(line + length, sizeof line - length, "\n");
    }
    size_t length = strlen(line);
    if (length == 0 || used + length >= size) continue;
    memcpy(text + used, line, length + 1);
    used += length;
  }
  freeifaddrs(all);
  return 0;
}

int millrace_spawn(char *const arguments[], int *process, int *output, int *errors) {
  int out[2], err[2];
  if (pipe2(out, O_CLOEXEC) != 0) return errno;
  if (pipe2(err, O_CLOEXEC) != 0) {
    int code = errno;
    close(out[0]);
    close(out[1]);
    return code;
  }
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  posix_spawn_file_actions_adddup2(&actions, err[1], 2);
  posix_spawnattr_init(&attributes);
  // The collector ignores SIGPIPE and blocks signals on some threads; the program starts like any other. A group of its
  // own keeps the terminal's Ctrl-C from it, since what it has written is still to be read.
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  pid_t child = 0;
  int code = posix_spawnp(&child, arguments[0], &actions, &attributes, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  close(out[1]);
  close(err[1]);
  if (code != 0) {
    close(out[0]);
    close(err[0]);
    return code;
  }
  *process = child;
  *output = out[0];
  *errors = err[0];
  return 0;
}
