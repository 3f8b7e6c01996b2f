#define _GNU_SOURCE
#include "clinux.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

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
