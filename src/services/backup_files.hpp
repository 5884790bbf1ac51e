// Where backups lie: `{directory}/{projectId}/{backupId}.tar.zst`, each with a manifest `{backupId}.json`
// beside it that says what it is without a database. Whoever can read the directory can read everybody's
// files: it is made for this program's user alone. File access is on threads of its own; calls on the control
// executor.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "base/async.hpp"
#include "model/backup.hpp"

namespace agentdb9::services {

// All throw Error{kUnavailable, "backup_storage"} when the file system fails or is full.
class BackupFiles {
  public:
    // `installation`: whose scratch files are these; others may use the same directory.
    BackupFiles(std::filesystem::path directory, std::string installation);

    static std::string name_of(const model::Backup& backup);
    std::filesystem::path archive(const model::Backup& backup) const;
    // What it is called until it is whole.
    std::filesystem::path partial(const model::Backup& backup) const;

    // Its directory is there.
    Task<> prepare(model::Backup backup);
    // The partial file, which is whole, gets its name, and its manifest.
    Task<> publish(model::Backup backup);
    Task<bool> has(model::Backup backup);
    // All its files; those that are not there are no error.
    Task<> remove(model::Backup backup);

    // A file that is read, or written, in pieces; it ends with this.
    class File {
      public:
        File(int descriptor, std::uint64_t size) : descriptor_(descriptor), size_(size) {}
        File(const File&) = delete;
        File& operator=(const File&) = delete;
        ~File();
        std::uint64_t size() const { return size_; }

      private:
        friend class BackupFiles;
        int descriptor_;
        std::uint64_t size_;
    };
    // kConflict "backup_missing" when it is not there.
    Task<std::shared_ptr<File>> open(std::filesystem::path path);
    // Empty at the end.
    Task<std::string> read(std::shared_ptr<File> file);
    Task<> write(std::shared_ptr<File> file, std::string bytes);

    // A name for a file that serves one request or operation only.
    std::filesystem::path scratch(const std::string& name) const;
    Task<std::shared_ptr<File>> create_scratch(std::filesystem::path path);
    Task<> prepare_scratch();
    Task<> remove_scratch(std::filesystem::path path);
    // Those of requests that no server works on any more: not written to for `age`. This installation's only.
    Task<> clear_scratch(std::chrono::seconds age);

  private:
    std::filesystem::path directory_;
    const std::string installation_;
    base::BlockingPool pool_{2};
};

}  // namespace agentdb9::services
