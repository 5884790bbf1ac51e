#include "archive/tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "archive/tar.hpp"
#include "archive/worker.hpp"
#include "base/error.hpp"
#include "base/log.hpp"

namespace agentdb9::archive {

using base::Descriptor;

namespace {

constexpr std::size_t kPiece = std::size_t{256} << 10;

base::Error unreadable(const std::string& path, int error) {
    return base::Error(
               base::ErrorCode::kUnavailable, "volume_unreadable",
               "A file of the project could not be read from the disk; look at the server's log, and at "
               "the disk that the container engine keeps volumes on.")
        .with_internal("./" + path + ": " + std::strerror(error));
}

// Was removed, or replaced by something else, between the look at its directory and the attempt to open it.
bool vanished(int error) {
    return error == ENOENT || error == ENOTDIR || error == ELOOP || error == ENXIO;
}

// No component may be a link, and none lead out: openat2(2). O_NOATIME spares the disk a write; only a file's
// owner, or one with CAP_FOWNER, may ask for it.
Descriptor open_below(int directory, const char* path, int flags) {
    for (const int more : {O_NOATIME, 0}) {
        open_how how{};
        how.flags = static_cast<std::uint64_t>(flags | more | O_CLOEXEC | O_NOFOLLOW);
        how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
        const auto fd = ::syscall(SYS_openat2, directory, path, &how, sizeof how);
        if (fd >= 0) return Descriptor(static_cast<int>(fd));
        if (errno != EPERM) break;
    }
    return {};
}

class Walk {
  public:
    Walk(const Worker& worker, Descriptor root, TarWriter& tar)
        : worker_(worker), root_(std::move(root)), tar_(tar), piece_(kPiece) {}

    // Only one directory is open at a time, so that a deep tree does not use up the descriptors.
    void run() {
        std::vector<std::string> directories{""};
        while (!directories.empty()) {
            const auto path = std::move(directories.back());
            directories.pop_back();
            visit(path, directories);
        }
    }

  private:
    struct Close {
        void operator()(DIR* directory) const { ::closedir(directory); }
    };
    using Id = std::pair<dev_t, ino_t>;

    void visit(const std::string& path, std::vector<std::string>& below) {
        auto fd = open_below(root_.get(), path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY);
        if (!fd) return skip_or_fail(path);
        struct stat status{};
        if (::fstat(fd.get(), &status) != 0) throw unreadable(path, errno);
        tar_.add(entry_of(path, EntryType::kDirectory, status));
        const std::unique_ptr<DIR, Close> directory(::fdopendir(fd.get()));
        if (!directory) throw unreadable(path, errno);
        fd.release();
        for (;;) {
            errno = 0;
            const auto* found = ::readdir(directory.get());
            if (found == nullptr) break;
            const std::string_view name(found->d_name);
            if (name == "." || name == "..") continue;
            worker_.checkpoint();
            auto child = path.empty() ? std::string(name) : path + "/" + std::string(name);
            if (add(::dirfd(directory.get()), found->d_name, child) == Kind::kDirectory)
                below.push_back(std::move(child));
        }
        if (errno != 0) throw unreadable(path, errno);
    }

    enum class Kind { kDirectory, kOther };
    Kind add(int directory, const char* name, const std::string& path) {
        struct stat status{};
        if (::fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
            skip_or_fail(path);
            return Kind::kOther;
        }
        if (S_ISDIR(status.st_mode)) return Kind::kDirectory;
        if (S_ISREG(status.st_mode)) {
            add_file(directory, name, path);
        } else if (S_ISLNK(status.st_mode)) {
            add_link(directory, name, path, status);
        } else if (S_ISFIFO(status.st_mode)) {
            tar_.add(entry_of(path, EntryType::kFifo, status));
        }
        return Kind::kOther;
    }

    void add_file(int directory, const char* name, const std::string& path) {
        // One that has become a FIFO meanwhile must not be waited for.
        const auto file = open_below(directory, name, O_RDONLY | O_NONBLOCK);
        if (!file) return skip_or_fail(path);
        struct stat status{};
        if (::fstat(file.get(), &status) != 0) throw unreadable(path, errno);
        if (!S_ISREG(status.st_mode)) return;
        auto entry = entry_of(path, EntryType::kFile, status);
        if (status.st_nlink > 1) {
            const auto [first, is_new] = names_.try_emplace(Id{status.st_dev, status.st_ino}, path);
            if (!is_new) {
                entry.type = EntryType::kHardLink;
                entry.link_target = first->second;
                return tar_.add(entry);
            }
        }
        entry.size = static_cast<std::uint64_t>(status.st_size);
        tar_.add(entry);
        copy(file.get(), path, entry.size);
    }

    // As many bytes as the entry has said, whatever becomes of the file.
    void copy(int file, const std::string& path, std::uint64_t left) {
        while (left > 0) {
            worker_.checkpoint();
            const auto got = ::read(file, piece_.data(), std::min<std::uint64_t>(left, piece_.size()));
            if (got < 0) {
                if (errno == EINTR) continue;
                throw unreadable(path, errno);
            }
            if (got == 0) return fill(path, left);
            tar_.write(std::span(piece_).first(static_cast<std::size_t>(got)));
            left -= static_cast<std::uint64_t>(got);
        }
    }

    void fill(const std::string& path, std::uint64_t left) {
        log::warning("a file became shorter while it was read; zeros stand for the rest of it",
                     {{"path", path}, {"bytes", left}});
        std::ranges::fill(piece_, '\0');
        while (left > 0) {
            worker_.checkpoint();
            const auto amount = std::min<std::uint64_t>(left, piece_.size());
            tar_.write(std::span(piece_).first(amount));
            left -= amount;
        }
    }

    void add_link(int directory, const char* name, const std::string& path, const struct stat& status) {
        const auto got = ::readlinkat(directory, name, piece_.data(), piece_.size());
        // Not a link any more: EINVAL.
        if (got < 0) return errno == EINVAL ? void() : skip_or_fail(path);
        auto entry = entry_of(path, EntryType::kSymbolicLink, status);
        entry.link_target.assign(piece_.data(), static_cast<std::size_t>(got));
        tar_.add(entry);
    }

    static void skip_or_fail(const std::string& path) {
        if (path.empty() || !vanished(errno)) throw unreadable(path, errno);
    }

    static Entry entry_of(const std::string& path, EntryType type, const struct stat& status) {
        Entry entry{.path = path, .type = type, .mode = status.st_mode & 07777U};
        entry.uid = status.st_uid;
        entry.gid = status.st_gid;
        entry.modified_at = base::Time(std::chrono::seconds(status.st_mtim.tv_sec));
        return entry;
    }

    const Worker& worker_;
    Descriptor root_;
    TarWriter& tar_;
    std::vector<char> piece_;
    std::map<Id, std::string> names_;  // of files that have several, the one that came first
};

}  // namespace

struct TreeReader::Work {
    explicit Work(const asio::any_io_executor& executor) : worker(executor) {}
    Worker worker;
};

TreeReader::TreeReader(asio::any_io_executor executor, Descriptor root)
    : work_(std::make_unique<Work>(executor)) {
    auto& worker = work_->worker;
    worker.start([&worker, shared = std::make_shared<Descriptor>(std::move(root))] {
        TarWriter tar([&worker](std::span<const char> bytes) { worker.out.write_blocking(bytes); });
        Walk(worker, std::move(*shared), tar).run();
        tar.finish();
    });
}

TreeReader::~TreeReader() = default;

Task<std::size_t> TreeReader::read(std::span<char> room) {
    co_return co_await work_->worker.out.read(room);
}

}  // namespace agentdb9::archive
