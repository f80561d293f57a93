/*
 * queue.c - how many connections wait to be accepted: read from the kernel.
 *
 * Of a TCP socket tcp(7) tells it in TCP_INFO; of a unix socket sock_diag(7) does,
 * which is asked for the one socket by its inode.
 */
#include "supervisor/system/queue.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of a socket that listens, the kernel uses these two for its queue. */
static bool read_tcp(int fd, struct queue *queue)
{
	struct tcp_info info;
	socklen_t size = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
		return false;
	*queue = (struct queue){ .waiting = info.tcpi_unacked, .limit = info.tcpi_sacked };
	return true;
}

struct question {
	struct nlmsghdr head;
	struct unix_diag_req body;
};

static bool ask(int diag, ino_t inode)
{
	struct question question = {
		.head = { .nlmsg_len = sizeof(question),
		    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
		    .nlmsg_flags = NLM_F_REQUEST },
		.body = { .sdiag_family = AF_UNIX,
		    .udiag_states = ~0U,
		    .udiag_ino = (uint32_t)inode,
		    .udiag_cookie = { ~0U, ~0U },
		    .udiag_show = UDIAG_SHOW_RQLEN },
	};

	return send(diag, &question, sizeof(question), 0) == (ssize_t)sizeof(question);
}

static bool find_queue(const struct nlmsghdr *head, struct queue *queue)
{
	size_t left = head->nlmsg_len - NLMSG_LENGTH(sizeof(struct unix_diag_msg));
	const char *at = (const char *)NLMSG_DATA(head) + sizeof(struct unix_diag_msg);

	while (left >= sizeof(struct nlattr)) {
		struct nlattr part;
		struct unix_diag_rqlen lengths;

		memcpy(&part, at, sizeof(part));
		if (part.nla_type == UNIX_DIAG_RQLEN && left >= NLA_HDRLEN + sizeof(lengths)) {
			memcpy(&lengths, at + NLA_HDRLEN, sizeof(lengths));
			*queue = (struct queue){ .waiting = lengths.udiag_rqueue,
				.limit = lengths.udiag_wqueue };
			return true;
		}
		if (part.nla_len < sizeof(part) || (size_t)NLA_ALIGN(part.nla_len) > left)
			break;
		left -= (size_t)NLA_ALIGN(part.nla_len);
		at += NLA_ALIGN(part.nla_len);
	}
	errno = EPROTO;
	return false;
}

static bool hear(int diag, struct queue *queue)
{
	union {
		struct nlmsghdr head;
		char room[1024];
	} answer;
	/* The kernel answers within send(2); waiting would mean that it never will. */
	ssize_t got = recv(diag, &answer, sizeof(answer), MSG_DONTWAIT);

	if (got < 0)
		return false;
	errno = EPROTO;
	if ((size_t)got < NLMSG_LENGTH(sizeof(struct unix_diag_msg)) ||
	    answer.head.nlmsg_len > (size_t)got || answer.head.nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return false;
	return find_queue(&answer.head, queue);
}

static bool read_unix(int fd, struct queue *queue)
{
	struct stat about;
	bool good;
	int diag, error;

	if (fstat(fd, &about) < 0)
		return false;
	diag = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (diag < 0)
		return false;
	good = ask(diag, about.st_ino) && hear(diag, queue);
	error = errno;
	close(diag);
	errno = error;
	return good;
}

bool queue_read(int fd, struct queue *queue)
{
	int family;
	socklen_t size = sizeof(family);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) < 0)
		return false;
	return family == AF_UNIX ? read_unix(fd, queue) : read_tcp(fd, queue);
}
