#include "archive/archive_file.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <vector>

#include "archive/tar.hpp"
#include "archive/worker.hpp"
#include "base/crypto.hpp"
#include "base/error.hpp"

namespace agentdb9::archive {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kPiece = std::size_t{256} << 10;
constexpr int kLevel = 3;

base::Error storage_failed(const fs::path& file, int error) {
    const bool full = error == ENOSPC || error == EDQUOT;
    return base::Error(base::ErrorCode::kUnavailable, "backup_storage",
                       full
                           ? "There is no space left where backups are kept; make room there and try again."
                           : "A backup's file could not be read or written; look at the server's log, and at "
                             "the directory where backups are kept.")
        .with_internal(file.string() + ": " + std::strerror(error));
}

class File {
  public:
    File(fs::path path, int flags)
        : path_(std::move(path)), fd_(::open(path_.c_str(), flags | O_CLOEXEC, 0600)) {
        if (fd_ < 0) fail();
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() { ::close(fd_); }

    std::size_t read(std::span<char> room) {
        for (;;) {
            const auto got = ::read(fd_, room.data(), room.size());
            if (got >= 0) return static_cast<std::size_t>(got);
            if (errno != EINTR) fail();
        }
    }
    void write(std::span<const char> bytes) {
        while (!bytes.empty()) {
            const auto put = ::write(fd_, bytes.data(), bytes.size());
            if (put < 0) {
                if (errno == EINTR) continue;
                fail();
            }
            bytes = bytes.subspan(static_cast<std::size_t>(put));
        }
    }
    void sync() {
        if (::fsync(fd_) != 0) fail();
    }

  private:
    [[noreturn]] void fail() const { throw storage_failed(path_, errno); }

    fs::path path_;
    int fd_;
};

class Digest {
  public:
    Digest() { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }
    void add(std::span<const char> bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
    std::string hex() {
        std::array<unsigned char, 32> sum{};
        EVP_DigestFinal_ex(context_.get(), sum.data(), nullptr);
        return base::hex_encode(sum);
    }

  private:
    struct End {
        void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
    };
    std::unique_ptr<EVP_MD_CTX, End> context_{EVP_MD_CTX_new()};
};

class Compressor {
  public:
    Compressor() : out_(ZSTD_CStreamOutSize()) {
        ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, kLevel);
        ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
    }
    // Gives what comes out to `sink`, piece by piece.
    template <class Sink>
    void compress(std::span<const char> bytes, bool last, const Sink& sink) {
        ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
        for (;;) {
            ZSTD_outBuffer out{out_.data(), out_.size(), 0};
            const auto left =
                ZSTD_compressStream2(context_.get(), &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
            if (ZSTD_isError(left) != 0U) {
                throw base::Error(base::ErrorCode::kInternal, "internal",
                                  "The backup could not be compressed.")
                    .with_internal(ZSTD_getErrorName(left));
            }
            sink(std::span<const char>(out_.data(), out.pos));
            if (last ? left == 0 : in.pos == in.size) return;
        }
    }

  private:
    struct End {
        void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
    };
    std::unique_ptr<ZSTD_CCtx, End> context_{ZSTD_createCCtx()};
    std::vector<char> out_;
};

void sync_directory(const fs::path& directory) {
    File(directory, O_RDONLY | O_DIRECTORY).sync();
}

void write_file(base::Pipe& in, const fs::path& path, bool& made, Written& written) {
    File file(path, O_WRONLY | O_CREAT | O_EXCL);
    made = true;
    Digest digest;
    Compressor compressor;
    const auto store = [&](std::span<const char> bytes) {
        file.write(bytes);
        digest.add(bytes);
        written.bytes += bytes.size();
    };
    std::vector<char> piece(kPiece);
    for (;;) {
        const auto got = in.read_blocking(piece);
        compressor.compress(std::span(piece).first(got), got == 0, store);
        if (got == 0) break;
    }
    file.sync();
    sync_directory(path.parent_path());
    written.sha256 = digest.hex();
}

Contents verify_file(const Worker& worker, const fs::path& path, const std::optional<std::string>& sha256,
                     const Limits& limits) {
    File file(path, O_RDONLY);
    Digest digest;
    const auto source = [&](std::span<char> room) {
        worker.checkpoint();
        const auto got = file.read(room);
        digest.add(room.first(got));
        return got;
    };
    TarReader reader(source, true, limits);
    std::vector<char> piece(kPiece);
    while (reader.next()) {
        while (reader.read(piece) > 0)
            worker.checkpoint();  // a bomb is much content from few bytes
    }
    // What follows the archive's end counts for the sum.
    while (source(piece) > 0) {
    }
    if (sha256 && digest.hex() != *sha256)
        throw invalid_archive("its SHA-256 is not the one that was recorded when it was written");
    return reader.contents();
}

}  // namespace

struct Writer::Work {
    Work(const asio::any_io_executor& executor, fs::path path) : file(std::move(path)), worker(executor) {}
    ~Work() {
        worker.stop();
        if (finished || !made) return;
        std::error_code ignored;
        fs::remove(file, ignored);
    }
    fs::path file;
    Written written;
    bool made = false;  // by us: one that was there before is left alone
    bool finished = false;
    Worker worker;
};

Writer::Writer(asio::any_io_executor executor, fs::path file)
    : work_(std::make_unique<Work>(executor, std::move(file))) {
    work_->worker.start(
        [work = work_.get()] { write_file(work->worker.in, work->file, work->made, work->written); });
}

Writer::~Writer() = default;

Task<> Writer::write(std::span<const char> tar) {
    co_await work_->worker.in.write(tar);
}

Task<Written> Writer::finish() {
    work_->worker.in.finish();
    co_await work_->worker.ended();
    work_->finished = true;
    co_return work_->written;
}

Task<Contents> verify(asio::any_io_executor executor, fs::path file, std::optional<std::string> sha256,
                      Limits limits) {
    Contents contents;
    Worker worker(executor);
    worker.start([&] { contents = verify_file(worker, file, sha256, limits); });
    co_await worker.ended();
    co_return contents;
}

struct Reader::Work {
    Work(const asio::any_io_executor& executor, fs::path path, Limits most)
        : file(std::move(path)), limits(most), worker(executor) {}

    void rewrite();

    fs::path file;
    Limits limits;
    std::atomic<std::uint64_t> files = 0;
    std::atomic<std::uint64_t> bytes = 0;
    Worker worker;
};

void Reader::Work::rewrite() {
    File from(file, O_RDONLY);
    TarReader reader([&](std::span<char> room) { return from.read(room); }, true, limits);
    TarWriter writer([this](std::span<const char> piece) { worker.out.write_blocking(piece); });
    std::vector<char> piece(kPiece);
    bool rooted = false;
    while (auto entry = reader.next()) {
        if (!rooted) {
            // The root comes first, also when the archive has none, or has it later: then it is the first
            // entry's owner's.
            rooted = true;
            Entry root{.type = EntryType::kDirectory, .mode = 0755, .uid = entry->uid, .gid = entry->gid};
            root.modified_at = entry->modified_at;
            writer.add(entry->path.empty() ? *entry : root);
            if (entry->path.empty()) continue;
        }
        if (entry->path.empty()) continue;
        writer.add(*entry);
        while (const auto got = entry->type == EntryType::kFile ? reader.read(piece) : 0)
            writer.write(std::span(piece).first(got));
        files = reader.contents().files;
        bytes = reader.contents().bytes;
    }
    writer.finish();
}

Reader::Reader(asio::any_io_executor executor, fs::path file, Limits limits)
    : work_(std::make_unique<Work>(executor, std::move(file), limits)) {
    work_->worker.start([work = work_.get()] { work->rewrite(); });
}

Reader::~Reader() = default;

Task<std::size_t> Reader::read(std::span<char> room) {
    co_return co_await work_->worker.out.read(room);
}

Contents Reader::so_far() const {
    Contents contents;
    contents.files = work_->files;
    contents.bytes = work_->bytes;
    return contents;
}

}  // namespace agentdb9::archive
