// Archives of volumes as files: tar, compressed by zstd (RFC 8878) with its own checksum. Compression and
// file access have a thread of their own for each archive in use; the calls are for the control executor.
//
// Errors: kInvalid "archive_invalid" says what is wrong with the archive; kUnavailable "backup_storage" that
// the file system failed or is full.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "archive/entries.hpp"
#include "base/bytes.hpp"

namespace agentdb9::archive {

struct Written {
    std::uint64_t bytes = 0;  // of the file
    std::string sha256;       // of the file, hexadecimal
};

// Compresses an uncompressed tar stream into a new file (0600). What is not finished is removed again by the
// destructor.
class Writer final : public base::ByteSink {
  public:
    Writer(asio::any_io_executor executor, std::filesystem::path file);
    ~Writer() override;

    Task<> write(std::span<const char> tar) override;
    // After the last write: the file and its directory entry are on the disk when it returns.
    Task<Written> finish();

  private:
    struct Work;
    std::unique_ptr<Work> work_;
};

// Reads the whole file and looks at every entry (entries.hpp) without keeping any. `sha256`: what it has to
// be.
Task<Contents> verify(asio::any_io_executor executor, std::filesystem::path file,
                      std::optional<std::string> sha256, Limits limits);

// An archive's entries as the uncompressed tar stream that Runtime::write_volume takes. Reads tar, plain or
// compressed by zstd or gzip. It is written anew, entry by entry, each checked again: nothing that another
// parser could understand otherwise gets through.
class Reader final : public base::ByteSource {
  public:
    Reader(asio::any_io_executor executor, std::filesystem::path file, Limits limits);
    ~Reader() override;

    Task<std::size_t> read(std::span<char> room) override;
    Contents so_far() const;  // for progress

  private:
    struct Work;
    std::unique_ptr<Work> work_;
};

}  // namespace agentdb9::archive
