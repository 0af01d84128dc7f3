"""System calls that a sandboxed program does not get: namespaces, mounts, and memory that belongs to no process.

Namespaces alone leave these open to an ordinary user: a new user namespace gives every capability inside it (and
a tmpfs without a size), anonymous files and System V segments hide memory from the limit. The filter is classic
BPF, as bubblewrap's --seccomp wants it.
"""

from __future__ import annotations

import errno
import platform
import struct

_LOAD, _JUMP_EQUAL, _JUMP_GREATER, _JUMP_SET, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCH, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
_X32 = 0x40000000
# CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_CLONE_NEW = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
# From 424 on the numbers are the same on every machine.
_COMMON = {
    "io_uring_setup": 425,
    "io_uring_enter": 426,
    "io_uring_register": 427,
    "open_tree": 428,
    "move_mount": 429,
    "fsopen": 430,
    "fsconfig": 431,
    "fsmount": 432,
    "fspick": 433,
    "mount_setattr": 442,
    "memfd_secret": 447,
}
# name: (x86_64, aarch64), from the kernel's tables of system calls
_DENIED = {
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "memfd_create": (319, 279),
    "shmget": (29, 194),
    "mq_open": (240, 180),
    "open_by_handle_at": (304, 265),
    "kexec_load": (246, 104),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "swapon": (167, 224),
    "reboot": (169, 142),
}
_CLONE, _CLONE3 = (56, 220), 435
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}


def _step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)


def program(machine: str = "") -> bytes:
    """The filter for this machine, or b"" where the numbers of its system calls are not known here."""
    found = _MACHINES.get(machine or platform.machine())
    if found is None:
        return b""
    column, architecture = found
    steps = [_step(_LOAD, _ARCH), _step(_JUMP_EQUAL, architecture, yes=1), _step(_RETURN, _KILL), _step(_LOAD, _NUMBER)]
    if column == 0:  # another table of numbers for the same machine
        steps += [_step(_JUMP_GREATER, _X32 - 1, no=1), _step(_RETURN, _ERRNO | errno.ENOSYS)]
    for number in sorted([row[column] for row in _DENIED.values()] + list(_COMMON.values())):
        steps += [_step(_JUMP_EQUAL, number, no=1), _step(_RETURN, _ERRNO | errno.EPERM)]
    # its flags lie in memory, out of a filter's reach; the C library falls back to clone
    steps += [_step(_JUMP_EQUAL, _CLONE3, no=1), _step(_RETURN, _ERRNO | errno.ENOSYS)]
    steps += [_step(_JUMP_EQUAL, _CLONE[column], no=3), _step(_LOAD, _FIRST_ARGUMENT)]
    steps += [_step(_JUMP_SET, _CLONE_NEW, no=1), _step(_RETURN, _ERRNO | errno.EPERM)]
    return b"".join([*steps, _step(_RETURN, _ALLOW)])
