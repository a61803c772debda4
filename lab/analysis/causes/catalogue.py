"""Every kind of cause: a question that it answers, what it means, and its source.

Its tables are those of docs/causes.md, which a test compares.
"""

from __future__ import annotations

from lab.frozen import frozen


@frozen
class CauseKind:
    """What a Cause of that name says, whatever the run."""

    name: str
    """ "reset-unread": as Cause.name."""
    question: str
    """What is seen of it, and asked by who does not know the cause."""
    means: str
    """The answer, in Markdown."""
    source: str
    """RFC section or man page."""
    page: str = ""
    """A page of docs/ that has more of it."""


SUBJECTS = {
    "RST": (
        CauseKind(
            "reset-nobody-listens",
            "A client's SYN is answered at once by a RST, and connect(2) fails with "
            "ECONNREFUSED. Why?",
            "A SYN came where no socket listens, and the kernel answered it with a RST: "
            "connect(2) fails with ECONNREFUSED. Where a program of the run has bound "
            "something near it, that is said: another address (127.0.0.1), another port "
            "(htons() once too often or not at all), UDP, IPv6 alone, no listen(2), too early "
            "or too late, another host.",
            "RFC 9293, 3.10.7.1; connect(2)",
        ),
        CauseKind(
            "reset-handshake-by-hand",
            "A program sends a SYN of its own making through a raw socket. A SYN-ACK comes, "
            "and the program's own kernel answers it with a RST. Why?",
            "A program made the SYN itself, through a raw or packet socket: the kernel, which "
            "has no socket for it, answers the SYN-ACK with a RST.",
            "RFC 9293, 3.10.7.1; raw(7)",
        ),
        CauseKind(
            "reset-unread",
            "A program calls close(2), and a RST goes out in place of a FIN; no option of the "
            "socket's is set. Why?",
            "close(2), or the end of the program, threw away bytes that had come and were "
            "never read. The kernel says so with a RST in place of a FIN.",
            "RFC 1122, 4.2.2.13; RFC 9293, 3.6.1",
        ),
        CauseKind(
            "reset-linger",
            "close(2) sends a RST although every byte that came was read. Which option of the "
            "socket's does that?",
            "SO_LINGER of 0 seconds, of the socket's own or of the listener that it was "
            "accepted from: close(2) throws the connection away.",
            "socket(7); RFC 9293, 3.10.5",
        ),
        CauseKind(
            "reset-half-open",
            "A connection was quiet for long. The first segment after that is answered by a "
            "RST. Why?",
            "One side had given the connection up, and the other had not learnt of it: its "
            "next segment meets a kernel that knows no such connection.",
            "RFC 9293, 3.5.1",
        ),
        CauseKind(
            "reset-after-close",
            "send(2) on a TCP socket succeeds, its segment is answered by a RST, and only the "
            "next send fails. Why?",
            "The peer had closed its socket, or ended, and what was sent to it afterwards is "
            "read by nobody. The send itself succeeds: the next one fails.",
            "RFC 1122, 4.2.2.13; send(2)",
        ),
        CauseKind(
            "reset-reason",
            "A RST leaves, and no call of the programs explains it. What else makes a kernel "
            "send one?",
            "No call explains the RST, and the kernel says what for it was sent: TCP_LINGER2 "
            "below 0, a segment that acknowledges what is none of the connection's, no "
            "memory.",
            "Linux, include/net/rstreason.h",
        ),
        CauseKind(
            "reset-queue-closed",
            "connect(2) succeeded, and the connection is reset before any program has taken "
            "it. Why?",
            "The listening socket was closed, and the connection waited in its accept queue.",
            "listen(2); accept(2)",
        ),
    ),
    "Calls that fail": (
        CauseKind(
            "address-in-use",
            "bind(2) fails with EADDRINUSE, and no program listens on the port any more. What "
            "may have it?",
            "bind(2) fails with EADDRINUSE: a socket of a program of the run is bound there, "
            "or listens; or a connection has the port, in TIME-WAIT or another state. What "
            "SO_REUSEADDR would change is said.",
            "bind(2); socket(7), SO_REUSEADDR; RFC 9293, 3.6.1",
        ),
        CauseKind(
            "address-not-here",
            "bind(2) fails with EADDRNOTAVAIL. Why?",
            "bind(2) fails with EADDRNOTAVAIL: no interface of the host has the address. "
            "Where another host has it, that is said.",
            "bind(2); ip(7)",
        ),
        CauseKind(
            "no-source-address",
            "connect(2) fails with EADDRNOTAVAIL, and the program has not called bind(2). Why?",
            "connect(2) fails with EADDRNOTAVAIL: the host has no address of that version to "
            "come from.",
            "connect(2); RFC 6724",
        ),
        CauseKind(
            "no-port-left",
            "connect(2) fails with EADDRNOTAVAIL after many connections to the same server, "
            "most of them closed. Why?",
            "connect(2) fails with EADDRNOTAVAIL, or bind(2) to port 0 with EADDRINUSE: all "
            "ports of net.ipv4.ip_local_port_range are in use, of connections to that place, "
            "those in TIME-WAIT with them.",
            "ip(7), ip_local_port_range",
        ),
        CauseKind(
            "no-route",
            "connect(2) fails with ENETUNREACH at once, and no frame leaves. Why?",
            "ENETUNREACH at once: the host has no route to the address. Not of one of several "
            "addresses that a program tries.",
            "connect(2); ip-route(8)",
        ),
        CauseKind(
            "interface-down",
            "Sends that went well fail with ENETDOWN or ENETUNREACH from some moment on. What "
            "has happened?",
            "ENETUNREACH or ENETDOWN: a program of the run had set the interface down through "
            "rtnetlink(7), as ip(8) does, by which call and until when. Also of a send on a "
            "TCP socket, which succeeds, and whose bytes leave only later or never. A packet "
            "socket's ENETDOWN says it by itself. A wire's rule `down` leaves the interfaces "
            "up: see `segment-lost`.",
            "packet(7); ip-link(8); rtnetlink(7)",
        ),
        CauseKind(
            "no-neighbour",
            "A datagram's send succeeds, and no datagram is ever on the link: only ARP "
            "requests. Why?",
            "EHOSTUNREACH, a connect(2) that still waits, or a datagram that never leaves "
            "although its send succeeded: nobody on the link answers who has the address "
            "(ARP, Neighbor Solicitation), or the requests do not come to it.",
            "arp(7); RFC 826; RFC 4861, 7.2.2",
        ),
        CauseKind(
            "unreachable-by-icmp",
            "connect(2) fails with EHOSTUNREACH some seconds after its SYN went out. Who says so?",
            "EHOSTUNREACH or ENETUNREACH by an ICMP error, whose, and which question of its "
            "nobody had answered.",
            "RFC 1122, 3.2.2.1; icmp(7)",
        ),
        CauseKind(
            "datagram-too-long",
            "sendto(2) of 70,000 bytes by UDP fails with EMSGSIZE whatever the MTU is. Why?",
            "EMSGSIZE: more than a datagram holds, 65,507 bytes over IPv4.",
            "RFC 768; udp(7)",
        ),
        CauseKind(
            "packet-too-big",
            "sendto(2) of 2,000 bytes by UDP fails with EMSGSIZE, though a datagram may have "
            "65,507. Why?",
            "EMSGSIZE: longer than the MTU of the interface, or of the path as an ICMP error "
            "told it, and the socket forbids fragments.",
            "ip(7), IP_MTU_DISCOVER; RFC 1191; RFC 8201",
        ),
        CauseKind(
            "address-of-another-family",
            "connect(2) fails with EAFNOSUPPORT. What is wrong with the address?",
            "EAFNOSUPPORT, or EINVAL: an IPv4 address for an IPv6 socket, or the reverse.",
            "connect(2); ipv6(7)",
        ),
        CauseKind(
            "address-too-short",
            "bind(2) fails with EINVAL, on a socket that was made just before. What of its "
            "arguments may be wrong?",
            "EINVAL: addrlen is less than the address has.",
            "ip(7); bind(2)",
        ),
        CauseKind(
            "scope-missing",
            "connect(2) to fe80::1 fails with EINVAL. What does the address lack?",
            "EINVAL: a link-local address without sin6_scope_id.",
            "ipv6(7); RFC 4007, 6",
        ),
        CauseKind(
            "bound-to-loopback",
            "connect(2) to another host fails with EINVAL. What had the program bound?",
            "connect(2) to another host fails with EINVAL: the socket is bound to 127.0.0.1.",
            "ip(7); RFC 1122, 3.2.1.3",
        ),
        CauseKind(
            "bound-already",
            "A second bind(2) of a socket fails with EINVAL. Why?",
            "bind(2) fails with EINVAL: the socket has an address.",
            "bind(2)",
        ),
        CauseKind(
            "not-listening",
            "accept(2) fails with EINVAL. Which call is missing?",
            "accept(2) fails with EINVAL: listen(2) had not been called.",
            "accept(2)",
        ),
        CauseKind(
            "no-connections",
            "listen(2) fails with EOPNOTSUPP. What kind of socket is it?",
            "listen(2) or accept(2) fails with EOPNOTSUPP: a datagram socket has no connections.",
            "listen(2); accept(2)",
        ),
        CauseKind(
            "type-and-protocol",
            "socket(2) fails with EPROTONOSUPPORT. What does not fit?",
            "socket(2) fails with EPROTONOSUPPORT: the type and the protocol do not go together.",
            "socket(2); ip(7)",
        ),
        CauseKind(
            "group-without-interface",
            "Joining a multicast group fails with ENODEV. What is missing?",
            "Joining a group fails with ENODEV: no such interface, or none named and no route.",
            "ip(7), IP_ADD_MEMBERSHIP",
        ),
        CauseKind(
            "port-needs-right",
            "bind(2) to port 80 fails with EACCES. Why?",
            "bind(2) fails with EACCES: a port below 1024 takes CAP_NET_BIND_SERVICE.",
            "ip(7); capabilities(7)",
        ),
        CauseKind(
            "socket-needs-right",
            "socket(2) with SOCK_RAW fails with EPERM. What does it take?",
            "socket(2) fails with EPERM: a raw or a packet socket takes CAP_NET_RAW.",
            "raw(7); packet(7); capabilities(7)",
        ),
        CauseKind(
            "ping-needs-group",
            "socket(2) for a datagram socket of ICMP fails with EACCES. Who may have one?",
            "socket(2) fails with EACCES: a datagram socket of ICMP is for the groups in "
            "net.ipv4.ping_group_range.",
            "icmp(7)",
        ),
        CauseKind(
            "broadcast-not-asked-for",
            "A send to 192.0.2.255 fails with EACCES. What has to be set first?",
            "A send fails with EACCES: the address is a broadcast address, and SO_BROADCAST "
            "is not set.",
            "socket(7); ip(7)",
        ),
        CauseKind(
            "not-connected",
            "recv(2) on a stream socket fails with ENOTCONN. Why?",
            "ENOTCONN, or EPIPE, on a TCP or unix socket that connect(2) had not connected; "
            "or on the one that listens.",
            "send(2); recv(2)",
        ),
        CauseKind(
            "no-destination",
            "send(2) on a UDP socket fails with EDESTADDRREQ. Why?",
            "EDESTADDRREQ: a datagram without an address, on a socket that is not connected.",
            "send(2); udp(7)",
        ),
        CauseKind(
            "sending-was-ended",
            "send(2) fails with EPIPE, and the peer has closed nothing. Why?",
            "EPIPE: the program itself had ended the sending by shutdown(2). Where the signal "
            "SIGPIPE ended the program, that is said, here and of every EPIPE.",
            "shutdown(2); send(2); signal(7)",
        ),
        CauseKind(
            "already-connected",
            "A second connect(2) of a TCP socket fails with EISCONN. What does a new "
            "connection need?",
            "connect(2) fails with EISCONN: the socket is connected; a new connection needs a "
            "new one.",
            "connect(2)",
        ),
        CauseKind(
            "connect-in-progress",
            "connect(2) of a socket that does not block fails with EINPROGRESS. Has it failed?",
            "EINPROGRESS, which is no failure: the connection goes on opening, when it was "
            "open, and that the program did not wait for it.",
            "connect(2)",
        ),
        CauseKind(
            "nothing-yet",
            "recv(2) fails with EAGAIN, and the program takes it for the stream's end. What is it?",
            "EAGAIN of a read that the program took for an end: what came later, and when.",
            "recv(2)",
        ),
        CauseKind(
            "nobody-yet",
            "accept(2) fails with EAGAIN, and the program gives up. What would have come?",
            "EAGAIN of an accept(2) that the program took for an end: the SYN that came later.",
            "accept(2)",
        ),
        CauseKind(
            "device-queue-full",
            "A send fails with ENOBUFS in a burst of sends. Which queue is full?",
            "A send fails with ENOBUFS: the queue of the interface had no room, and the "
            "kernel threw the packet away. A UDP socket's call is told of that only where "
            "IP_RECVERR is set. As root the kernel's drop notices say so; else it is likely.",
            "send(2), ENOBUFS; ip(7), IP_RECVERR",
        ),
        CauseKind(
            "control-too-long",
            "sendmsg(2) fails with ENOBUFS, and its data is short. What is too long?",
            "sendmsg(2) fails with ENOBUFS: more bytes of control messages than "
            "net.core.optmem_max lets a socket have. Certain where the run has set that.",
            "sendmsg(2); socket(7), optmem_max",
        ),
        CauseKind(
            "too-many-groups",
            "The 21st group that a socket joins fails with ENOBUFS. Which limit is that?",
            "Joining a group fails with ENOBUFS: the socket has joined as many as "
            "net.ipv4.igmp_max_memberships allows.",
            "ip(7), igmp_max_memberships",
        ),
        CauseKind(
            "netlink-overrun",
            "A read of a netlink socket fails with ENOBUFS. What has become of the messages?",
            "A read of a netlink socket fails with ENOBUFS: its receive buffer had no room "
            "for what came, which is lost.",
            "netlink(7)",
        ),
    ),
    "Unix sockets": (
        CauseKind(
            "unix-no-file",
            "connect(2) of a unix socket fails with ENOENT. Why?",
            "ENOENT: no file has the name; which socket of the run has a name like it, or "
            "gets that one later. What libraries look for in /run, /var and /dev is left out.",
            "unix(7); path_resolution(7)",
        ),
        CauseKind(
            "unix-nobody",
            "connect(2) of a unix socket fails with ECONNREFUSED, and its file is there. Why?",
            "ECONNREFUSED: the file is left over, its socket closed or of another run; nobody "
            "has called listen(2); an abstract name is another host's, as each network "
            "namespace has its own.",
            "unix(7); connect(2)",
        ),
        CauseKind(
            "unix-name-in-use",
            "bind(2) of a unix socket fails with EADDRINUSE, and no program runs that has it. Why?",
            "EADDRINUSE: another socket has the name, or the file is left over.",
            "unix(7); bind(2)",
        ),
        CauseKind(
            "unix-another-type",
            "connect(2) of a unix socket fails with EPROTOTYPE. What differs?",
            "EPROTOTYPE: the two sockets are of different types.",
            "unix(7)",
        ),
        CauseKind(
            "unix-not-allowed",
            "connect(2) of a unix socket fails with EACCES. What is asked of the file?",
            "EACCES or EROFS: what the file's mode, its folders or a read-only file system forbid.",
            "unix(7); path_resolution(7)",
        ),
        CauseKind(
            "unix-name-too-long",
            "bind(2) of a unix socket to a long path fails with EINVAL. How long may it be?",
            "EINVAL: the address is longer than a struct sockaddr_un.",
            "unix(7), sun_path",
        ),
        CauseKind(
            "unix-queue-full",
            "A send on a unix datagram socket waits, or fails with EAGAIN. For whom does it wait?",
            "A send fails with EAGAIN, or waits for more than 100 ms: what waits in the "
            "receiver's queue, and when its program reads. Not of a stream whose program "
            "sends on later.",
            "unix(7); send(2); socket(7)",
        ),
        CauseKind(
            "unix-accept-queue-full",
            "connect(2) of a unix socket waits, or fails with EAGAIN. For which call of the "
            "server's?",
            "The same of a connect(2): as many wait to be accepted as listen(2) allows.",
            "listen(2); unix(7)",
        ),
        CauseKind(
            "unix-peer-closed",
            "A send on a unix socket fails with EPIPE. What had happened before?",
            "EPIPE or ECONNRESET: the other end was closed, by which call and how long before.",
            "unix(7); send(2)",
        ),
        CauseKind(
            "uid-not-mapped",
            "SO_PEERCRED says uid 65534 of a peer that runs as another. Why?",
            "SO_PEERCRED or SCM_CREDENTIALS says uid 65534 of a program that runs as another: "
            "the reader is in a user namespace of its own, where that uid is mapped to none.",
            "unix(7); user_namespaces(7)",
        ),
        CauseKind(
            "uid-mapped",
            "SO_PEERCRED says another uid than the one that the peer itself knows. Why?",
            "The same, where the namespace has another number for the uid. Neither is said of "
            "programs that may change their uid (CAP_SETUID), nor of a scenario's, which may "
            "have it by themselves.",
            "unix(7); user_namespaces(7)",
        ),
    ),
    "Openings and copies": (
        CauseKind(
            "fast-open-no-cookie",
            "A client sends with MSG_FASTOPEN, and its first SYN carries no data. Why?",
            "MSG_FASTOPEN, and the SYN carries no data: there was no cookie yet, and the "
            "SYN-ACK brings one. Not where a later connection of that host is opened by it.",
            "RFC 7413; tcp(7)",
        ),
        CauseKind(
            "fast-open-not-granted",
            "A client asks for a Fast Open cookie, and the SYN-ACK brings none. What does the "
            "server lack?",
            "The SYN-ACK grants no cookie: TCP_FASTOPEN on the socket that listens, and 2 in "
            "net.ipv4.tcp_fastopen, are what it takes.",
            "RFC 7413; tcp(7)",
        ),
        CauseKind(
            "fast-open-fell-back",
            "The SYN carried data, and the SYN-ACK acknowledges the SYN alone. What becomes "
            "of the data?",
            "The SYN carried data, and the SYN-ACK acknowledges the SYN alone.",
            "RFC 7413, 3",
        ),
        CauseKind(
            "zerocopy-copied",
            "A send with MSG_ZEROCOPY ends with the notice SO_EE_CODE_ZEROCOPY_COPIED. What "
            "does it say?",
            "A notice says that what MSG_ZEROCOPY sent was copied all the same.",
            "send(2); Linux, msg_zerocopy.rst",
        ),
    ),
    "Datagrams": (
        CauseKind(
            "datagram-nobody",
            "sendto(2) succeeds, an ICMP port unreachable comes back, and no call of the "
            "sender ever fails. Why?",
            "No UDP socket takes what came: the kernel answers with an ICMP error, and no "
            "call of the sender fails by that, as on a socket that is not connected. What a "
            "program of the run has bound near it is said: another address (127.0.0.1), "
            "another port (htons() once too often or not at all), TCP, too early or too late, "
            "a socket that is connected to somebody else, another host.",
            "RFC 1122, 4.1.3.1 and 4.1.3.3; udp(7)",
        ),
        CauseKind(
            "datagram-refused",
            "recv(2) on a UDP socket fails with ECONNREFUSED, though UDP has no connections. Why?",
            "The same, where a call of the sender fails by it, with ECONNREFUSED.",
            "udp(7); RFC 1122, 4.1.3.3",
        ),
        CauseKind(
            "receive-buffer-full",
            "Every datagram of a burst came to the host, and the program read fewer. Where "
            "are the others?",
            "The socket's receive buffer was full when datagrams came: how many of how many, "
            "and what SO_RCVBUF was set to. As root the kernel's drop notices name them; else "
            "UdpRcvbufErrors counts them.",
            "socket(7), SO_RCVBUF; udp(7)",
        ),
        CauseKind(
            "message-cut",
            "A datagram of 1,000 bytes came, recv(2) returned 100, and the next recv(2) does "
            "not go on with it. Why?",
            "A read had room for less than the datagram, or the unix socket's message, has: "
            "the rest is thrown away.",
            "recv(2), MSG_TRUNC; udp(7); unix(7)",
        ),
        CauseKind(
            "datagram-lost",
            "A datagram is lost on its way. Who sends it again?",
            "A rule of a wire dropped it, and UDP sends nothing again.",
            "RFC 768; RFC 8085, 3.3",
        ),
        CauseKind(
            "fragment-lost",
            "Two of three fragments of a datagram came. What does recv(2) return of it?",
            "A rule of a wire dropped a fragment, and the others are read by nobody.",
            "RFC 791, 3.2; RFC 8200, 4.5",
        ),
        CauseKind(
            "group-not-joined",
            "A datagram to a group comes to the host, its port is bound there, and the "
            "program reads nothing. Why?",
            "A datagram to a group came to a host whose socket for that port has not joined "
            "it, or not yet, or on another interface.",
            "ip(7), IP_ADD_MEMBERSHIP; RFC 1112, 7.1",
        ),
        CauseKind(
            "group-by-loopback",
            "A datagram to a group is sent, and no frame is on the link. Where did it leave?",
            "It left by `lo`, as IP_MULTICAST_IF said, and who has joined is on another host.",
            "ip(7), IP_MULTICAST_IF",
        ),
        CauseKind(
            "group-stays-near",
            "A datagram to a group reaches the own link and no network behind the router. Why?",
            "It had a TTL of 1, and who has joined is behind a router.",
            "RFC 1112, 6.1; ip(7), IP_MULTICAST_TTL",
        ),
    ),
    "Nothing comes": (
        CauseKind(
            "segment-lost",
            "A segment with data is on the link twice. How does the sender know that it has "
            "to send it again?",
            "Bytes, or a FIN, never came, and TCP sent them again: which rule of a wire "
            "dropped or damaged them, that the link was down, which router had no room for "
            "them (path MTU) or where they were seen last; how often they were sent again and "
            "after which waits; whether a call failed at last, by TCP_USER_TIMEOUT too. Of "
            "each connection it is the loss that took longest to mend.",
            "RFC 5681, 3.2; RFC 6298, 5; RFC 8985, 7",
        ),
        CauseKind(
            "ack-lost",
            "A segment had come, and is sent again all the same. What was lost?",
            "Bytes, or a FIN, had come, and every ACK of them was lost: TCP sent them again, "
            "needlessly. Where the receiver says so by a D-SACK, that is named.",
            "RFC 9293, 3.8.1; RFC 6298, 5; RFC 2883, 4",
        ),
        CauseKind(
            "syn-lost",
            "connect(2) takes a little more than one second, and then succeeds. What is likely?",
            "The SYN was lost, and sent again: connect(2) takes long or fails. Which rule, "
            "router or link it was, as of `segment-lost`.",
            "RFC 9293, 3.8.3; tcp(7)",
        ),
        CauseKind(
            "syn-ack-lost",
            "The client's SYN came, a SYN-ACK left, and the client sends its SYN again. Why?",
            "The same of the SYN's answer.",
            "RFC 9293, 3.8.3; tcp(7)",
        ),
        CauseKind(
            "syn-queue-full",
            "SYNs come to a host where a socket listens, and nothing answers but a counter: "
            "TCPReqQFullDrop. What has no room?",
            "The listening socket has as many unfinished handshakes as it keeps, and "
            "`net.ipv4.tcp_syncookies` is 0: the kernel ignores further SYNs.",
            "tcp(7), tcp_max_syn_backlog, tcp_syncookies; RFC 4987, 3",
        ),
        CauseKind(
            "syn-filtered",
            "SYNs come to a host where a socket listens, and nothing answers. Who throws them "
            "away?",
            "A SYN came to its host, whose packet filter dropped it. As root the kernel says "
            "so; else it is likely where nothing answers although a socket listens.",
            "nft(8); RFC 9293, 3.10.7",
        ),
        CauseKind(
            "syn-refused-by-filter",
            "A SYN comes to a host where a socket listens, and an ICMP error or a RST comes "
            "back. Who refuses it?",
            "A SYN came to its host, whose packet filter refused it, by an ICMP error or a "
            "RST, although a socket listens.",
            "nft(8); RFC 9293, 3.10.7",
        ),
        CauseKind(
            "keep-alive-unanswered",
            "recv(2) fails with ETIMEDOUT on a connection on which nothing was sent for long. "
            "Which segments had met no answer?",
            "Keep-alive segments met no answer, and the connection was given up.",
            "RFC 9293, 3.8.4; tcp(7)",
        ),
    ),
    "Waits": (
        CauseKind(
            "accept-queue-full",
            "SYNs come to a socket that listens, are not answered, and come again. The "
            "program is in no accept(2). Which limit has been met?",
            "More connections wait to be accepted than listen(2) allows: the kernel ignores "
            "the SYN, which comes again. Length and limit are the kernel's own where it was "
            "asked in time.",
            "listen(2)",
            "held.md",
        ),
        CauseKind(
            "both-wait",
            "Client and server are both in recv(2), and no byte is on its way. What may be wrong?",
            "Each side waits for the other's bytes, and none is on its way: nobody has "
            "spoken, or the reader waits for more than what was sent: a line's end, the end "
            "of the stream, so many bytes. What its reads show of that is said. It is said "
            "when the lab ends a program at its deadline, and when a program gives up. "
            "Without calls it is only likely.",
            "recv(2); tcp(7)",
        ),
        CauseKind(
            "end-never-comes",
            "A program has read everything and goes on reading until its deadline. What does "
            "it wait for?",
            "A program has read all and reads on; its peer has neither closed the connection "
            "nor ended its sending.",
            "recv(2); shutdown(2); RFC 9293, 3.6",
        ),
        CauseKind(
            "peer-does-not-answer",
            "A program waits in recv(2), and its peer is in no call that would answer. What "
            "may the peer be doing?",
            "A program waits for a peer that is in no call that would answer: it sleeps, "
            "computes, or has another connection in hand.",
            "recv(2); tcp(7)",
        ),
        CauseKind(
            "not-accepted",
            "connect(2) returned, and the server's program knows nothing of the connection. "
            "Who made it, and what is missing?",
            "The connection was made by the kernel, and accept(2) has not taken it.",
            "listen(2); accept(2)",
        ),
        CauseKind(
            "nagle",
            "A short send leaves some 40 ms after it was called. Which two algorithms wait "
            "for each other?",
            "A short send waited for an ACK that the other side delayed: Nagle's algorithm "
            "and delayed ACK, on each other's heels.",
            "RFC 9293, 3.7.4 and 3.8.6.3; tcp(7), TCP_NODELAY",
        ),
        CauseKind(
            "close-wait",
            "A connection stays in CLOSE-WAIT. Which call is missing, and whose?",
            "The peer had closed, and the program did not: it sent nothing more, and called "
            "close(2) late or never.",
            "RFC 9293, 3.6; tcp(7)",
        ),
        CauseKind(
            "zero-window",
            "The sender sends nothing but a probe of one byte or none from time to time. What "
            "did the receiver say, and why?",
            "The receive buffer was full for a second or longer: who did not read, since "
            "which call, how much had come, and who waits in a send for that.",
            "RFC 9293, 3.8.6; tcp(7)",
        ),
        CauseKind(
            "both-send",
            "Client and server are both in send(2), and neither returns. Why?",
            "Both sides are in a send, and both receive buffers are full: neither reads.",
            "RFC 9293, 3.8.6; send(2)",
        ),
        CauseKind(
            "corked",
            "Bytes that were sent leave 0.2 s later, in one segment with others. What held "
            "them back?",
            "TCP_CORK, or MSG_MORE, held bytes back for 0.1 s or longer.",
            "tcp(7), TCP_CORK; send(2), MSG_MORE",
        ),
    ),
    "Closing, and where bytes are": (
        CauseKind(
            "held-open",
            "A program calls close(2) on a connection, and no FIN leaves. Who may still have "
            "the socket?",
            "close(2) was followed by no FIN, since another process has the socket as well, "
            "by fork(2): which one. A descriptor that dup(2) made, or that was sent by "
            "SCM_RIGHTS, is found where the kernel was asked meanwhile who has the socket "
            "open.",
            "close(2); fork(2); unix(7), SCM_RIGHTS",
            "held.md",
        ),
        CauseKind(
            "fin-behind-bytes",
            "close(2) returned at once, and the FIN leaves seconds later. What had to go first?",
            "The FIN left late, behind bytes that the peer had no room for.",
            "RFC 9293, 3.10.4; close(2)",
        ),
        CauseKind(
            "left-unread",
            "The kernel acknowledged every byte, and the peer's program never had them. Where "
            "are they?",
            "Bytes came, were acknowledged by the kernel, and were never read by the program, "
            "which went on until the lab ended it.",
            "RFC 9293, 3.8.6; recv(2)",
        ),
    ),
}
"""The kinds by what they are about, in the order of docs/causes.md."""

CAUSE_KINDS = {kind.name: kind for kinds in SUBJECTS.values() for kind in kinds}
"""Each by its name."""
