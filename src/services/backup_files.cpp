#include "services/backup_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/log.hpp"

namespace agentdb9::services {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kPiece = std::size_t{256} * 1024;
constexpr int kManifestFormat = 1;

[[noreturn]] void fail(const fs::path& path, const std::string& what) {
    throw base::Error(
        base::ErrorCode::kUnavailable, "backup_storage",
        "The server cannot use the directory of its backups; ask its operator to look at the log "
        "and make room there.")
        .with_internal(what + " " + path.string());
}
[[noreturn]] void fail_by_errno(const fs::path& path) {
    fail(path, std::string(std::strerror(errno)) + ":");
}

void make_directory(const fs::path& path) {
    std::error_code ec;
    if (fs::create_directories(path, ec)) fs::permissions(path, fs::perms::owner_all, ec);
    if (!fs::is_directory(path)) fail(path, ec.message() + ": cannot make");
}

void remove_file(const fs::path& path) {
    std::error_code ec;
    fs::remove(path, ec);
    if (ec) fail(path, ec.message() + ": cannot remove");
}

void write_all(int descriptor, std::string_view bytes, const fs::path& path) {
    while (!bytes.empty()) {
        const auto written = ::write(descriptor, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail_by_errno(path);
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
}

// Whole or not at all, also when the power goes.
void replace_file(const fs::path& path, const std::string& text) {
    auto partial = path;
    partial += ".partial";
    const int descriptor =
        ::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (descriptor < 0) fail_by_errno(partial);
    const BackupFiles::File file(descriptor, 0);
    write_all(descriptor, text, partial);
    if (::fsync(descriptor) != 0 || ::rename(partial.c_str(), path.c_str()) != 0) fail_by_errno(partial);
}

void sync_directory(const fs::path& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) fail_by_errno(path);
    const BackupFiles::File file(descriptor, 0);
    if (::fsync(descriptor) != 0) fail_by_errno(path);
}

fs::path manifest_of(fs::path archive) {
    return archive.replace_extension().replace_extension(".json");
}

json::object manifest(const model::Backup& backup) {
    return {{"format", kManifestFormat},
            {"backupId", backup.id.view()},
            {"projectId", backup.project_id.view()},
            {"userId", backup.user_id.view()},
            {"name", backup.name ? json::value(*backup.name) : json::value(nullptr)},
            {"project", backup.snapshot},
            {"file", fs::path(backup.file).filename().string()},
            {"sizeBytes", backup.size_bytes},
            {"sha256", backup.sha256},
            {"contentBytes", backup.content_bytes},
            {"files", backup.files},
            {"consistent", backup.consistent},
            {"scheduled", backup.scheduled},
            {"createdAt", base::format_time(backup.created_at)}};
}

}  // namespace

BackupFiles::File::~File() {
    ::close(descriptor_);
}

BackupFiles::BackupFiles(fs::path directory, std::string installation)
    : directory_(std::move(directory)), installation_(std::move(installation)) {}

std::string BackupFiles::name_of(const model::Backup& backup) {
    return backup.project_id.str() + "/" + backup.id.str() + ".tar.zst";
}

fs::path BackupFiles::archive(const model::Backup& backup) const {
    return directory_ / backup.file;
}

fs::path BackupFiles::partial(const model::Backup& backup) const {
    auto path = archive(backup);
    path += ".partial";
    return path;
}

Task<> BackupFiles::prepare(model::Backup backup) {
    co_await pool_.run([this, path = archive(backup).parent_path()] {
        make_directory(directory_);
        make_directory(path);
        sync_directory(directory_);
    });
}

Task<> BackupFiles::publish(model::Backup backup) {
    co_await pool_.run([this, backup] {
        const auto path = archive(backup);
        if (::rename(partial(backup).c_str(), path.c_str()) != 0) fail_by_errno(path);
        replace_file(manifest_of(path), base::to_text(manifest(backup)) + "\n");
        sync_directory(path.parent_path());
    });
}

Task<bool> BackupFiles::has(model::Backup backup) {
    co_return co_await pool_.run([path = archive(backup)] { return fs::is_regular_file(path); });
}

Task<> BackupFiles::remove(model::Backup backup) {
    if (backup.file.empty()) co_return;
    co_await pool_.run([this, backup] {
        const auto path = archive(backup);
        // The manifest goes first: it would tell of an archive that is not there.
        remove_file(manifest_of(path));
        remove_file(path);
        remove_file(partial(backup));
        // The last one of its project leaves no empty directory.
        std::error_code ec;
        fs::remove(path.parent_path(), ec);
    });
}

Task<std::shared_ptr<BackupFiles::File>> BackupFiles::open(fs::path path) {
    co_return co_await pool_.run([path] {
        const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        if (descriptor < 0 && errno == ENOENT) {
            throw base::conflict(
                "backup_missing",
                "The backup's file is not in the server's directory of backups any more; choose "
                "another backup, or ask the operator.");
        }
        if (descriptor < 0) fail_by_errno(path);
        auto file = std::make_shared<File>(descriptor, 0);
        struct stat facts{};
        if (::fstat(descriptor, &facts) != 0) fail_by_errno(path);
        file->size_ = static_cast<std::uint64_t>(facts.st_size);
        return file;
    });
}

Task<std::string> BackupFiles::read(std::shared_ptr<File> file) {
    co_return co_await pool_.run([file] {
        std::string piece(kPiece, '\0');
        ssize_t amount = 0;
        do {
            amount = ::read(file->descriptor_, piece.data(), piece.size());
        } while (amount < 0 && errno == EINTR);
        if (amount < 0) fail_by_errno("a backup");
        piece.resize(static_cast<std::size_t>(amount));
        return piece;
    });
}

Task<> BackupFiles::write(std::shared_ptr<File> file, std::string bytes) {
    co_await pool_.run([file, bytes = std::move(bytes)] {
        write_all(file->descriptor_, bytes, "an upload");
        file->size_ += bytes.size();
    });
}

fs::path BackupFiles::scratch(const std::string& name) const {
    return directory_ / "scratch" / (installation_ + "." + name);
}

Task<> BackupFiles::prepare_scratch() {
    co_await pool_.run([this] {
        make_directory(directory_);
        make_directory(directory_ / "scratch");
    });
}

Task<std::shared_ptr<BackupFiles::File>> BackupFiles::create_scratch(fs::path path) {
    co_await prepare_scratch();
    co_return co_await pool_.run([path] {
        const int descriptor =
            ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
        if (descriptor < 0) fail_by_errno(path);
        return std::make_shared<File>(descriptor, 0);
    });
}

Task<> BackupFiles::remove_scratch(fs::path path) {
    co_await pool_.run([path] { remove_file(path); });
}

Task<> BackupFiles::clear_scratch(std::chrono::seconds age) {
    co_await pool_.run([this, age] {
        std::error_code ec;
        const auto newest = fs::file_time_type::clock::now() - age;
        fs::directory_iterator at(directory_ / "scratch", ec);
        for (; !ec && at != fs::directory_iterator(); at.increment(ec)) {
            std::error_code gone;
            if (!at->path().filename().string().starts_with(installation_ + ".")) continue;
            if (fs::last_write_time(at->path(), gone) <= newest) fs::remove(at->path(), gone);
        }
    });
}

}  // namespace agentdb9::services
