#include "archive/tar.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <langinfo.h>
#include <locale.h>

#include <cerrno>

#include <algorithm>
#include <array>
#include <string>

namespace agentdb9::archive {

namespace {

constexpr std::size_t kPiece = std::size_t{256} << 10;
constexpr std::size_t kBlock = 512;

struct ReadEnd {
    void operator()(::archive* handle) const { archive_read_free(handle); }
};
struct WriteEnd {
    void operator()(::archive* handle) const { archive_write_free(handle); }
};
struct EntryEnd {
    void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};

std::string text(const char* value) {
    return value == nullptr ? std::string() : std::string(value);
}

bool usable(int result) {
    // A warning is about what is left out here anyway, or a name that is no UTF-8 and is kept as it is.
    return result == ARCHIVE_OK || result == ARCHIVE_WARN;
}

Entry entry_from(archive_entry* from) {
    Entry entry{.path = text(archive_entry_pathname(from))};
    if (entry.path.empty()) throw invalid_archive("it has an entry without a name");
    entry.mode = static_cast<std::uint32_t>(archive_entry_perm(from));
    entry.uid = archive_entry_uid(from);
    entry.gid = archive_entry_gid(from);
    entry.modified_at = base::Time(std::chrono::seconds(archive_entry_mtime(from)));
    if (archive_entry_hardlink(from) != nullptr) {
        entry.type = EntryType::kHardLink;
        entry.link_target = text(archive_entry_hardlink(from));
        return entry;
    }
    switch (archive_entry_filetype(from)) {
        case AE_IFREG:
            entry.type = EntryType::kFile;
            entry.size = static_cast<std::uint64_t>(std::max<la_int64_t>(archive_entry_size(from), 0));
            break;
        case AE_IFDIR:
            entry.type = EntryType::kDirectory;
            break;
        case AE_IFLNK:
            entry.type = EntryType::kSymbolicLink;
            entry.link_target = text(archive_entry_symlink(from));
            break;
        case AE_IFIFO:
            entry.type = EntryType::kFifo;
            break;
        default:
            throw invalid_archive("it holds a device or another special file ('" + entry.path + "')");
    }
    return entry;
}

}  // namespace

void use_utf8_names() {
    // One for all threads, for ever.
    static const locale_t kUtf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    if (kUtf8 != nullptr) uselocale(kUtf8);
}

struct TarReader::Source {
    std::function<std::size_t(std::span<char>)> pull;
    std::array<char, kPiece> piece;
    std::exception_ptr failure;
    std::size_t zeros = 0;  // at the end of what was read so far
    std::unique_ptr<::archive, ReadEnd> handle{archive_read_new()};
    std::unique_ptr<archive_entry, EntryEnd> entry{archive_entry_new()};

    static la_ssize_t read(::archive* handle, void* self_pointer, const void** buffer) {
        auto& self = *static_cast<Source*>(self_pointer);
        try {
            const auto got = self.pull(self.piece);
            *buffer = self.piece.data();
            const auto bytes = std::span(self.piece).first(got);
            const auto last =
                std::ranges::find_if(bytes.rbegin(), bytes.rend(), [](char c) { return c != 0; });
            const auto trailing = static_cast<std::size_t>(last - bytes.rbegin());
            self.zeros = trailing == got ? self.zeros + got : trailing;
            return static_cast<la_ssize_t>(got);
        } catch (...) {
            self.failure = std::current_exception();
            archive_set_error(handle, EIO, "the source failed");
            return ARCHIVE_FATAL;
        }
    }
};

TarReader::TarReader(std::function<std::size_t(std::span<char>)> source, bool compressed, Limits limits)
    : rules_(limits), source_(std::make_unique<Source>()) {
    source_->pull = std::move(source);
    auto* handle = source_->handle.get();
    archive_read_support_format_tar(handle);
    if (compressed) {
        archive_read_support_filter_zstd(handle);
        archive_read_support_filter_gzip(handle);
    }
    if (archive_read_open(handle, source_.get(), nullptr, &Source::read, nullptr) != ARCHIVE_OK) fail();
}

TarReader::~TarReader() = default;

void TarReader::fail() {
    if (source_->failure) std::rethrow_exception(source_->failure);
    throw invalid_archive("it is damaged, cut off, or no tar archive (" +
                          text(archive_error_string(source_->handle.get())) + ")");
}

std::optional<Entry> TarReader::next() {
    auto* handle = source_->handle.get();
    const int result = archive_read_next_header2(handle, source_->entry.get());
    if (result == ARCHIVE_EOF) {
        // Without a compressor's checksum only the two empty blocks at the end tell that nothing was cut off.
        if (archive_filter_code(handle, 0) == ARCHIVE_FILTER_NONE) {
            while (source_->pull(source_->piece) > 0) {
            }
            if (source_->zeros < 2 * kBlock) throw invalid_archive("it is cut off");
        }
        return std::nullopt;
    }
    if (!usable(result)) fail();
    auto entry = entry_from(source_->entry.get());
    rules_.accept(entry);
    return entry;
}

std::size_t TarReader::read(std::span<char> room) {
    const auto got = archive_read_data(source_->handle.get(), room.data(), room.size());
    if (got < 0) fail();
    return static_cast<std::size_t>(got);
}

struct TarWriter::Sink {
    std::function<void(std::span<const char>)> push;
    std::exception_ptr failure;
    std::unique_ptr<::archive, WriteEnd> handle{archive_write_new()};
    std::unique_ptr<archive_entry, EntryEnd> entry{archive_entry_new()};

    static la_ssize_t write(::archive* handle, void* self_pointer, const void* data, std::size_t size) {
        auto& self = *static_cast<Sink*>(self_pointer);
        // After a failure libarchive writes once more, to end the archive.
        if (self.failure) return static_cast<la_ssize_t>(size);
        try {
            self.push({static_cast<const char*>(data), size});
            return static_cast<la_ssize_t>(size);
        } catch (...) {
            self.failure = std::current_exception();
            archive_set_error(handle, EIO, "the sink failed");
            return ARCHIVE_FATAL;
        }
    }
};

TarWriter::TarWriter(std::function<void(std::span<const char>)> sink) : sink_(std::make_unique<Sink>()) {
    sink_->push = std::move(sink);
    auto* handle = sink_->handle.get();
    archive_write_set_format_pax_restricted(handle);
    archive_write_set_bytes_per_block(handle, static_cast<int>(kPiece));
    archive_write_set_bytes_in_last_block(handle, 1);
    if (archive_write_open(handle, sink_.get(), nullptr, &Sink::write, nullptr) != ARCHIVE_OK) fail();
}

TarWriter::~TarWriter() {
    // Given up: what libarchive still holds back is not wanted.
    if (!sink_->failure) sink_->failure = std::make_exception_ptr(std::exception());
}

void TarWriter::fail() {
    if (sink_->failure) std::rethrow_exception(sink_->failure);
    throw invalid_archive(text(archive_error_string(sink_->handle.get())));
}

void TarWriter::add(const Entry& entry) {
    auto* to = archive_entry_clear(sink_->entry.get());
    const bool directory = entry.type == EntryType::kDirectory;
    const auto path = "./" + entry.path + (directory && !entry.path.empty() ? "/" : "");
    archive_entry_set_pathname(to, path.c_str());
    switch (entry.type) {
        case EntryType::kFile:
        case EntryType::kHardLink:
            archive_entry_set_filetype(to, AE_IFREG);
            break;
        case EntryType::kDirectory:
            archive_entry_set_filetype(to, AE_IFDIR);
            break;
        case EntryType::kSymbolicLink:
            archive_entry_set_filetype(to, AE_IFLNK);
            archive_entry_set_symlink(to, entry.link_target.c_str());
            break;
        case EntryType::kFifo:
            archive_entry_set_filetype(to, AE_IFIFO);
            break;
    }
    if (entry.type == EntryType::kHardLink)
        archive_entry_set_hardlink(to, ("./" + entry.link_target).c_str());
    archive_entry_set_size(to, static_cast<la_int64_t>(entry.size));
    archive_entry_set_perm(to, static_cast<__LA_MODE_T>(entry.mode));
    archive_entry_set_uid(to, entry.uid);
    archive_entry_set_gid(to, entry.gid);
    archive_entry_set_mtime(to, base::to_unix_seconds(entry.modified_at), 0);
    if (!usable(archive_write_header(sink_->handle.get(), to))) fail();
}

void TarWriter::write(std::span<const char> data) {
    if (archive_write_data(sink_->handle.get(), data.data(), data.size()) < 0) fail();
}

void TarWriter::finish() {
    if (archive_write_close(sink_->handle.get()) != ARCHIVE_OK) fail();
}

}  // namespace agentdb9::archive
