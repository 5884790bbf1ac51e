// The way out: tree_copy.hpp.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

#include "base/error.hpp"
#include "cli/client/text.hpp"
#include "cli/client/tree_copy.hpp"

namespace agentdb9::cli::client {
namespace {

using archive::Entry;
using archive::EntryType;
using base::Error;
using base::ErrorCode;

constexpr std::size_t kPiece = std::size_t{256} << 10;
constexpr std::size_t kMostLeftOut = 20;

Error unreadable(const std::string& path, int error) {
    const auto code = error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kInvalid;
    return Error(code, "not_readable",
                 "'" + printable(path) + "' cannot be read: " + std::strerror(error) + ".");
}

Entry entry_of(const std::string& name, EntryType type, const struct stat& status) {
    Entry entry{.path = name, .type = type, .mode = status.st_mode & 07777U};
    entry.modified_at = base::Time(std::chrono::seconds(status.st_mtim.tv_sec));
    return entry;
}

class Packing {
  public:
    explicit Packing(const std::function<void(std::span<const char>)>& sink) : tar_(sink), piece_(kPiece) {}

    void add(const std::string& path, const std::string& name, bool follow) {
        struct stat status{};
        if ((follow ? ::stat(path.c_str(), &status) : ::lstat(path.c_str(), &status)) != 0)
            throw unreadable(path, errno);
        if (S_ISDIR(status.st_mode)) {
            tar_.add(entry_of(name, EntryType::kDirectory, status));
            add_content(path, name);
        } else if (S_ISREG(status.st_mode)) {
            const base::Descriptor file(
                ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | (follow ? 0 : O_NOFOLLOW)));
            if (!file || ::fstat(file.get(), &status) != 0) throw unreadable(path, errno);
            add_file(file.get(), static_cast<std::uint64_t>(status.st_size), name, path, status);
        } else if (S_ISLNK(status.st_mode)) {
            add_link(path, name, status);
        } else if (follow) {
            throw Error(ErrorCode::kInvalid, "not_a_file",
                        "'" + printable(path) +
                            "' is no file or directory; 'agentdb9 cp -' copies what comes on "
                            "standard input.");
        } else if (copied_.left_out.size() < kMostLeftOut) {
            copied_.left_out.push_back(path);
        }
    }

    void add_file(int file, std::uint64_t size, const std::string& name, const std::string& path,
                  const struct stat& status) {
        auto entry = entry_of(name, EntryType::kFile, status);
        entry.size = size;
        tar_.add(entry);
        for (auto left = size; left > 0;) {
            const auto got = ::read(file, piece_.data(), std::min<std::uint64_t>(left, piece_.size()));
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) throw unreadable(path, errno);
            if (got == 0) {
                throw Error(ErrorCode::kConflict, "file_changed",
                            "'" + printable(path) + "' became shorter while it was copied; copy it again.");
            }
            tar_.write(std::span(piece_).first(static_cast<std::size_t>(got)));
            left -= static_cast<std::uint64_t>(got);
        }
        ++copied_.files;
        copied_.bytes += size;
    }

    Copied finish() {
        tar_.finish();
        return std::move(copied_);
    }

  private:
    struct Close {
        void operator()(DIR* directory) const { ::closedir(directory); }
    };

    // One directory is open at a time.
    void add_content(const std::string& path, const std::string& name) {
        std::vector<std::string> names;
        {
            const std::unique_ptr<DIR, Close> directory(::opendir(path.c_str()));
            if (!directory) throw unreadable(path, errno);
            for (;;) {
                errno = 0;
                const auto* found = ::readdir(directory.get());
                if (found == nullptr) break;
                const std::string each(found->d_name);
                if (each != "." && each != "..") names.push_back(each);
            }
            if (errno != 0) throw unreadable(path, errno);
        }
        for (const auto& each : names)
            add(path + "/" + each, name + "/" + each, false);
    }

    void add_link(const std::string& path, const std::string& name, const struct stat& status) {
        const auto got = ::readlink(path.c_str(), piece_.data(), piece_.size());
        if (got < 0) throw unreadable(path, errno);
        auto entry = entry_of(name, EntryType::kSymbolicLink, status);
        entry.link_target.assign(piece_.data(), static_cast<std::size_t>(got));
        tar_.add(entry);
        ++copied_.files;
    }

    archive::TarWriter tar_;
    std::vector<char> piece_;
    Copied copied_;
};

}  // namespace

std::string name_of_source(const std::string& path) {
    auto cut = path;
    while (cut.size() > 1 && cut.ends_with('/'))
        cut.pop_back();
    auto name = cut.substr(cut.rfind('/') + 1);
    if (!name.empty() && name != "." && name != "..") return name;
    std::error_code ec;
    name = std::filesystem::canonical(path, ec).filename().string();
    if (ec) throw unreadable(path, ec.value());
    if (name.empty())
        throw Error(ErrorCode::kInvalid, "no_name",
                    "'" + printable(path) + "' has no name to copy it under.");
    return name;
}

Copied pack(const std::vector<std::string>& paths, const std::function<void(std::span<const char>)>& sink) {
    Packing packing(sink);
    for (const auto& path : paths)
        packing.add(path, name_of_source(path), true);
    return packing.finish();
}

Copied pack_open_file(int file, std::uint64_t size, const std::string& name,
                      const std::function<void(std::span<const char>)>& sink) {
    Packing packing(sink);
    struct stat status{};
    if (::fstat(file, &status) != 0) throw unreadable(name, errno);
    if (!S_ISREG(status.st_mode) || (status.st_mode & 0777U) == 0600U) status.st_mode = 0644;
    status.st_mtim = {::time(nullptr), 0};
    packing.add_file(file, size, name, name, status);
    return packing.finish();
}

}  // namespace agentdb9::cli::client
