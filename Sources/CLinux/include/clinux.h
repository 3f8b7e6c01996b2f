#pragma once
#include <stddef.h>
#include <stdint.h>

// Linux' own functions, which the C library hides from Swift.

// A new eventfd that does not block; -1 and errno when there is none.
int millrace_eventfd(void);
// Adds one to an eventfd.
void millrace_eventfd_wake(int descriptor);
// Sets it back to zero.
void millrace_eventfd_clear(int descriptor);

// Names the calling thread; at most 15 bytes.
void millrace_name_thread(const char *name);

// Who sent a datagram, and how long it is.
typedef struct {
  uint32_t length;
  // Whether it was longer than there was room for.
  uint8_t is_cut;
  // 4, 6, or 0 when unknown.
  uint8_t family;
  uint16_t port;
  // As on the wire; the first four bytes for family 4.
  uint8_t address[16];
} millrace_datagram;

// The most datagrams of one call.
enum { MILLRACE_MOST_DATAGRAMS = 64 };

// Reads the datagrams that wait, each into `size` bytes of `buffer`, one behind the other; waits for none. `dropped` is
// set to the number that the kernel has dropped since the socket was made, where it says so. The number read, or -1 and
// errno.
int millrace_receive_datagrams(int descriptor, uint8_t *buffer, size_t size, int count, millrace_datagram *datagrams,
                               uint32_t *dropped);
// Lets the kernel say how many datagrams it dropped.
void millrace_count_drops(int descriptor);

// Writes the name of an IP address; 0, or not 0 when it has none. Waits for the network.
int millrace_name_of_address(const char *address, char *name, size_t size);
// Writes the name of this host; 0, or not 0.
int millrace_host_name(char *name, size_t size);
// Writes the full name of a host, as the hosts file or the DNS has it; 0, or not 0 when there is none. Waits for the
// network.
int millrace_canonical_name(const char *host, char *name, size_t size);
// Writes the name that the first address of a host with one has; 0, or not 0. Waits for the network.
int millrace_reverse_name(const char *host, char *name, size_t size);
// Writes what uname says, one part per line: system, node, release, version, machine; 0, or not 0.
int millrace_system_name(char *text, size_t size);
// Writes the addresses of the network interfaces that are up, without the loopback's: `i` and an IP address, or `m` and
// a hardware address, per line. As many lines as there is room for; 0, or not 0.
int millrace_interfaces(char *text, size_t size);

// Runs a program found by PATH, with an empty standard input; `output` and `errors` are what it writes to. 0, or the
// code of the error.
int millrace_spawn(char *const arguments[], int *process, int *output, int *errors);
