// The way in: tree_copy.hpp. What comes was made by whoever uses the workspace, who may mean harm to whoever
// copies: every directory is opened beneath the target and through no link (openat2).
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/crypto.hpp"
#include "base/error.hpp"
#include "cli/client/descriptors.hpp"
#include "cli/client/text.hpp"
#include "cli/client/tree_copy.hpp"

namespace agentdb9::cli::client {
namespace {

using archive::Entry;
using archive::EntryType;
using base::Descriptor;
using base::Error;
using base::ErrorCode;

constexpr std::size_t kPiece = std::size_t{256} << 10;
constexpr std::size_t kMarkBytes = 9;
constexpr mode_t kPermissions = 0777;  // no foreign file gets the rights of who copies it
constexpr std::size_t kMostLeftOut = 20;

Error unwritable(const std::string& path, int error) {
    return Error(ErrorCode::kInvalid, "not_writable",
                 "'" + printable(path) + "' cannot be written: " + std::strerror(error) + ".");
}

std::uint64_t write_content(archive::TarReader& tar, int fd, const std::string& path) {
    std::vector<char> piece(kPiece);
    std::uint64_t all = 0;
    while (const auto got = tar.read(piece)) {
        if (!write_all(fd, {piece.data(), got})) throw unwritable(path, errno);
        all += got;
    }
    return all;
}

std::array<timespec, 2> times_of(const Entry& entry) {
    const timespec at{base::to_unix_seconds(entry.modified_at), 0};
    return {at, at};
}

class Unpacking {
  public:
    Unpacking(archive::TarReader& tar, const std::string& directory, std::string name)
        : tar_(tar),
          name_(std::move(name)),
          root_(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
        if (!root_) throw unwritable(directory, errno);
    }

    Copied run() {
        bool first = true;
        bool whole_directory = false;
        while (auto entry = tar_.next()) {
            if (first) {
                whole_directory = entry->path.empty();
                if (!whole_directory && entry->type == EntryType::kDirectory) whole_directory = true;
            }
            // A single file's own name is not asked for: it is called as whoever copies wants.
            const bool single = first && !whole_directory;
            first = false;
            put(*entry, single || entry->path.empty() ? name_ : name_ + "/" + entry->path);
        }
        finish_directories();
        return std::move(copied_);
    }

  private:
    struct Place {
        Descriptor directory;
        std::string name;
    };

    Descriptor open_directory(const std::string& path) const {
        open_how how{};
        how.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
        how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
        const auto fd =
            ::syscall(SYS_openat2, root_.get(), path.empty() ? "." : path.c_str(), &how, sizeof how);
        if (fd < 0) {
            if (errno == ELOOP || errno == EXDEV || errno == ENOTDIR) throw in_the_way(path);
            throw unwritable(path, errno);
        }
        return Descriptor(static_cast<int>(fd));
    }

    Place place_of(const std::string& path) const {
        const auto slash = path.rfind('/');
        if (slash == std::string::npos) return {open_directory(""), path};
        return {open_directory(path.substr(0, slash)), path.substr(slash + 1)};
    }

    static Error in_the_way(const std::string& path) {
        return base::conflict("something_in_the_way",
                              "A file, link or directory of another kind is where '" + printable(path) +
                                  "' is to be; nothing is written through it. Move it away, and copy again.");
    }

    void put(const Entry& entry, const std::string& path) {
        switch (entry.type) {
            case EntryType::kDirectory:
                return put_directory(entry, path);
            case EntryType::kFile:
                return put_file(entry, path);
            case EntryType::kSymbolicLink:
                return put_link(entry, path);
            case EntryType::kHardLink:
                return put_hard_link(entry, path);
            case EntryType::kFifo:
                if (copied_.left_out.size() < kMostLeftOut) copied_.left_out.push_back(path);
                return;
        }
    }

    void put_directory(const Entry& entry, const std::string& path) {
        const auto place = place_of(path);
        if (::mkdirat(place.directory.get(), place.name.c_str(), 0700) == 0) {
            made_.emplace_back(path, entry);
            return;
        }
        if (errno != EEXIST) throw unwritable(path, errno);
        struct stat status{};
        if (::fstatat(place.directory.get(), place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISDIR(status.st_mode))
            throw in_the_way(path);
    }

    // Under another name until all of it is there.
    class Fresh {
      public:
        Fresh(int directory, std::string path) : directory_(directory), path_(std::move(path)) {}
        Fresh(const Fresh&) = delete;
        Fresh& operator=(const Fresh&) = delete;
        ~Fresh() {
            if (!placed_) ::unlinkat(directory_, name_.c_str(), 0);
        }
        const char* name() const { return name_.c_str(); }
        void place_as(const std::string& name) {
            if (::renameat(directory_, name_.c_str(), directory_, name.c_str()) != 0) {
                if (errno == EISDIR || errno == ENOTEMPTY || errno == EEXIST) throw in_the_way(path_);
                throw unwritable(path_, errno);
            }
            placed_ = true;
            // Of two names of one file rename(2) does nothing.
            ::unlinkat(directory_, name_.c_str(), 0);
        }

      private:
        int directory_;
        std::string path_;
        std::string name_ = ".agentdb9-copy-" + base::random_token(kMarkBytes);
        bool placed_ = false;
    };

    void put_file(const Entry& entry, const std::string& path) {
        const auto place = place_of(path);
        Fresh fresh(place.directory.get(), path);
        const Descriptor file(::openat(place.directory.get(), fresh.name(),
                                       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
        if (!file) throw unwritable(path, errno);
        copied_.bytes += write_content(tar_, file.get(), path);
        if (::fchmod(file.get(), entry.mode & kPermissions) != 0 ||
            ::futimens(file.get(), times_of(entry).data()) != 0)
            throw unwritable(path, errno);
        fresh.place_as(place.name);
        ++copied_.files;
    }

    void put_link(const Entry& entry, const std::string& path) {
        const auto place = place_of(path);
        Fresh fresh(place.directory.get(), path);
        if (::symlinkat(entry.link_target.c_str(), place.directory.get(), fresh.name()) != 0)
            throw unwritable(path, errno);
        ::utimensat(place.directory.get(), fresh.name(), times_of(entry).data(), AT_SYMLINK_NOFOLLOW);
        fresh.place_as(place.name);
        ++copied_.files;
    }

    void put_hard_link(const Entry& entry, const std::string& path) {
        const auto from = place_of(name_ + "/" + entry.link_target);
        const auto place = place_of(path);
        Fresh fresh(place.directory.get(), path);
        if (::linkat(from.directory.get(), from.name.c_str(), place.directory.get(), fresh.name(), 0) != 0)
            throw unwritable(path, errno);
        fresh.place_as(place.name);
        ++copied_.files;
    }

    // When nothing is written into them any more: one may be read-only, and each write changes its time.
    void finish_directories() {
        for (auto each = made_.rbegin(); each != made_.rend(); ++each) {
            const auto& [path, entry] = *each;
            const auto directory = open_directory(path);
            if (::fchmod(directory.get(), entry.mode & kPermissions) != 0 ||
                ::futimens(directory.get(), times_of(entry).data()) != 0)
                throw unwritable(path, errno);
        }
    }

    archive::TarReader& tar_;
    std::string name_;
    Descriptor root_;
    std::vector<std::pair<std::string, Entry>> made_;
    Copied copied_;
};

}  // namespace

Copied unpack(archive::TarReader& tar, const std::string& directory, const std::string& name) {
    return Unpacking(tar, directory, name).run();
}

Copied unpack_to(archive::TarReader& tar, int descriptor) {
    const auto entry = tar.next();
    if (!entry || entry->type != EntryType::kFile) {
        throw base::conflict("not_a_file",
                             "Only a file can go to standard output; name a directory to copy this into.");
    }
    Copied copied{.files = 1, .bytes = write_content(tar, descriptor, "standard output"), .left_out = {}};
    while (tar.next()) {
    }
    return copied;
}

}  // namespace agentdb9::cli::client
