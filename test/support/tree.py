"""Makes trees and describes them, for tests that must not trust what they test.

Paths and names are latin1 text in JSON, one character per byte. Everything goes through folder
descriptors, one name at a time, so that paths may be longer than PATH_MAX.

A request is one line on stdin, a JSON list, and so is its answer on stdout:
  ["make", root, [], operations]   makes or changes what lies below root
  ["digest", root, options]        path -> what lies there
  ["sum", root, options]           number of entries and a digest of all (for deep trees)
Options: atime, ctime, inode, nodirtimes.
"""

import hashlib
import json
import os
import random
import resource
import socket
import stat
import sys

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_NOATIME


def raw(text):
    return text.encode("latin1")


def open_folder(name, dir_fd=None):
    try:
        return os.open(name, FOLDER, dir_fd=dir_fd)
    except PermissionError:
        return os.open(name, FOLDER & ~os.O_NOATIME, dir_fd=dir_fd)


def make_folder(name, dir_fd):
    try:
        os.mkdir(name, 0o755, dir_fd=dir_fd)
    except FileExistsError:
        pass


class Maker:
    def __init__(self, root):
        self.root = open_folder(root)
        self.late = []
        self.folders = {}

    def parent(self, path, make=True):
        """Descriptor of the folder that holds `path`, made where it is missing, and the name."""
        folder, _, name = raw(path).rpartition(b"/")
        if folder not in self.folders:
            self.folders[folder] = self.open(folder.split(b"/") if folder else [], make)
        return self.folders[folder], name

    def open(self, parts, make):
        fd = os.dup(self.root)
        for part in parts:
            above = fd
            try:
                if make:
                    make_folder(part, above)
                fd = open_folder(part, above)
            finally:
                os.close(above)
        return fd

    def forget(self):
        for fd in self.folders.values():
            os.close(fd)
        self.folders.clear()

    def run(self, operations):
        try:
            for operation in operations:
                self.step(operation)
            # Folders last, the deepest first: what is made in them changes their times.
            for operation in sorted(self.late, key=lambda each: -each["path"].count("/")):
                self.finish(operation)
        finally:
            self.forget()
            os.close(self.root)

    def finish(self, operation):
        try:
            fd, name = self.parent(operation["path"], make=False)
            if is_folder(fd, name):
                set_attributes(operation, fd, name)
        except (FileNotFoundError, NotADirectoryError):
            pass  # A later operation has removed it.

    def step(self, operation):
        kind = operation["op"]
        fd, name = self.parent(operation["path"])
        getattr(self, "do_" + kind)(operation, fd, name)
        if kind in ("remove", "rename") or len(self.folders) > 256:
            self.forget()
        elif kind not in ("chain", "hard"):
            if kind in ("folder", "set") and is_folder(fd, name):
                self.late.append(operation)
            else:
                set_attributes(operation, fd, name)

    def do_set(self, operation, fd, name):
        pass

    def do_folder(self, operation, fd, name):
        make_folder(name, fd)

    def do_file(self, operation, fd, name):
        file = os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644, dir_fd=fd)
        os.ftruncate(file, 0)
        write_content(file, operation)
        os.close(file)

    def do_patch(self, operation, fd, name):
        """Other bytes at an offset, keeping the modification time."""
        before = os.stat(name, dir_fd=fd, follow_symlinks=False)
        file = os.open(name, os.O_RDWR | os.O_NOFOLLOW, dir_fd=fd)
        os.pwrite(file, raw(operation["text"]), operation.get("offset", 0))
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
        os.close(file)

    def do_link(self, operation, fd, name):
        os.symlink(raw(operation["to"]), name, dir_fd=fd)

    def do_hard(self, operation, fd, name):
        other, old = self.parent(operation["to"], make=False)
        os.link(old, name, src_dir_fd=other, dst_dir_fd=fd, follow_symlinks=False)

    def do_fifo(self, operation, fd, name):
        os.mkfifo(name, 0o644, dir_fd=fd)

    def do_device(self, operation, fd, name):
        kind = stat.S_IFCHR if operation["kind"] == "char" else stat.S_IFBLK
        os.mknod(name, 0o644 | kind, os.makedev(operation["major"], operation["minor"]), dir_fd=fd)

    def do_socket(self, operation, fd, name):
        if os.geteuid() == 0:
            os.mknod(name, 0o755 | stat.S_IFSOCK, dir_fd=fd)
            return
        here = os.open(".", os.O_RDONLY)
        os.fchdir(fd)
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(name)
        os.fchdir(here)
        os.close(here)

    def do_remove(self, operation, fd, name):
        remove(fd, name)

    def do_rename(self, operation, fd, name):
        other, new = self.parent(operation["to"])
        os.rename(name, new, src_dir_fd=fd, dst_dir_fd=other)

    def do_chain(self, operation, fd, name):
        """`depth` folders in each other, each with a file, a link and fixed times."""
        fds = [os.dup(fd)]
        levels = []
        for level in range(operation["depth"]):
            width = operation["width"]
            part = (b"%d-" % level).ljust(width, b"x") if level else name
            os.mkdir(part, 0o755, dir_fd=fds[-1])
            fds.append(open_folder(part, fds[-1]))
            levels.append(part)
            file = os.open(b"file", os.O_WRONLY | os.O_CREAT, 0o640, dir_fd=fds[-1])
            os.write(file, b"level %d" % level)
            os.utime(file, ns=(level * 10**9 + 5, level * 10**9 + 7))
            os.close(file)
            os.symlink(b"../file", b"link", dir_fd=fds[-1])
        for level, folder in enumerate(fds[1:]):
            os.utime(folder, ns=(10**18 + level, 10**18 + level))
        for each in fds:
            os.close(each)


def is_folder(fd, name):
    return stat.S_ISDIR(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode)


def remove(fd, name):
    if not is_folder(fd, name):
        os.unlink(name, dir_fd=fd)
        return
    below = open_folder(name, fd)
    for entry in os.listdir(below):
        remove(below, os.fsencode(entry))
    os.close(below)
    os.rmdir(name, dir_fd=fd)


def write_content(file, operation):
    if "text" in operation:
        os.write(file, raw(operation["text"]))
        return
    size = operation.get("size", 0)
    source = random.Random(operation.get("seed", 0))
    for offset, length in operation.get("data", [[0, size]]):
        while length > 0:
            step = min(length, 1 << 20)
            os.pwrite(file, source.randbytes(step), offset)
            offset += step
            length -= step
    os.ftruncate(file, size)


def by_descriptor(fd, name):
    """A path that the calls for extended attributes take, whatever the depth."""
    return b"/proc/self/fd/%d/%s" % (fd, name)


def set_attributes(operation, fd, name):
    if "uid" in operation or "gid" in operation:
        uid, gid = operation.get("uid", -1), operation.get("gid", -1)
        os.chown(name, uid, gid, dir_fd=fd, follow_symlinks=False)
    if "mode" in operation:
        os.chmod(name, operation["mode"], dir_fd=fd)
    for attribute, value in operation.get("xattrs", {}).items():
        path = by_descriptor(fd, name)
        if value is None:
            os.removexattr(path, raw(attribute), follow_symlinks=False)
        else:
            os.setxattr(path, raw(attribute), bytes.fromhex(value), follow_symlinks=False)
    if "mtimeNs" in operation:
        mtime = int(operation["mtimeNs"])
        atime = int(operation.get("atimeNs", mtime))
        os.utime(name, ns=(atime, mtime), dir_fd=fd, follow_symlinks=False)


TYPES = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "folder",
    stat.S_IFLNK: "link",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "char",
    stat.S_IFBLK: "block",
}


def walk(root):
    """Yields (path, folder descriptor, name) of everything below and with the root."""
    top = open_folder(root)
    stack = [(top, b"", listing(top))]
    try:
        yield b"", top, b"."
        while stack:
            fd, path, names = stack[-1]
            name = next(names, None)
            if name is None:
                os.close(fd)
                stack.pop()
                continue
            below = path + b"/" + name if path else name
            yield below, fd, name
            if is_folder(fd, name):
                folder = open_folder(name, fd)
                stack.append((folder, below, listing(folder)))
    finally:
        for fd, _, _ in stack:
            os.close(fd)


def listing(fd):
    return iter(sorted(os.fsencode(each) for each in os.listdir(fd)))


def describe(fd, name, options):
    status = os.stat(name, dir_fd=fd, follow_symlinks=False)
    kind = TYPES[stat.S_IFMT(status.st_mode)]
    found = {"type": kind, "uid": status.st_uid, "gid": status.st_gid}
    if kind != "link":
        found["mode"] = "%04o" % stat.S_IMODE(status.st_mode)
    if kind != "folder" or "nodirtimes" not in options:
        found["mtime"] = str(status.st_mtime_ns)
    # There is no way to read where a link leads without a trace in its access time.
    if "atime" in options and kind != "link":
        found["atime"] = str(status.st_atime_ns)
    if "ctime" in options:
        found["ctime"] = str(status.st_ctime_ns)
    if "inode" in options:
        found["inode"] = status.st_ino
    if kind in ("char", "block"):
        found["device"] = "%d:%d" % (os.major(status.st_rdev), os.minor(status.st_rdev))
    if kind == "link":
        found["to"] = os.readlink(name, dir_fd=fd).decode("latin1")
    if kind == "file":
        found["size"] = status.st_size
        describe_content(fd, name, status, found)
    xattrs = describe_xattrs(fd, name)
    if xattrs:
        found["xattrs"] = xattrs
    return status, found


def describe_content(fd, name, status, found):
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NOATIME, dir_fd=fd)
    except PermissionError:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=fd)
    digest = hashlib.sha1()
    while block := os.read(file, 1 << 20):
        digest.update(block)
    found["sha1"] = digest.hexdigest()
    if status.st_blocks * 512 < status.st_size:
        found["data"] = data_ranges(file, status.st_size)
    os.close(file)


def data_ranges(file, size):
    ranges = []
    offset = 0
    while offset < size:
        try:
            start = os.lseek(file, offset, os.SEEK_DATA)
        except OSError:
            break
        offset = os.lseek(file, start, os.SEEK_HOLE)
        ranges.append([start, offset])
    return ranges


def describe_xattrs(fd, name):
    path = by_descriptor(fd, name)
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError:
        return {}
    values = {}
    for each in sorted(names):
        if each != "security.selinux":
            values[each] = os.getxattr(path, each, follow_symlinks=False).hex()
    return values


def entries(root, options):
    firsts = {}
    for path, fd, name in walk(root):
        status, found = describe(fd, name, options)
        text = path.decode("latin1")
        if found["type"] != "folder" and status.st_nlink > 1:
            found["links"] = status.st_nlink
            found["same"] = firsts.setdefault((status.st_dev, status.st_ino), text)
        yield text, found


def answer(command, root, options, operations=None):
    root = os.fsencode(root)
    if command == "make":
        Maker(root).run(operations)
        return None
    if command == "digest":
        return dict(entries(root, options))
    digest, count, longest = hashlib.sha1(), 0, 0
    for path, found in entries(root, options):
        digest.update(json.dumps([path, found]).encode())
        count += 1
        longest = max(longest, len(path))
    return {"entries": count, "longestPath": longest, "sha1": digest.hexdigest()}


def main():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    os.umask(0o022)
    for line in sys.stdin:
        try:
            said = {"result": answer(*json.loads(line))}
        except Exception as error:
            said = {"error": repr(error)}
        print(json.dumps(said), flush=True)


main()
