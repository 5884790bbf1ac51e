#include "archive/tar_stream.hpp"

#include <array>
#include <exception>
#include <optional>

#include "archive/tar.hpp"
#include "archive/worker.hpp"
#include "base/error.hpp"

namespace agentdb9::archive {

namespace {

constexpr std::size_t kPiece = std::size_t{256} << 10;

void drain(base::Pipe& in) {
    std::vector<char> piece(kPiece);
    while (in.read_blocking(piece) > 0) {
    }
}

}  // namespace

struct Lister::Work {
    Work(const asio::any_io_executor& executor, std::size_t wanted) : most(wanted), worker(executor) {}

    void list() {
        TarReader reader([this](std::span<char> room) { return worker.in.read_blocking(room); }, false,
                         Limits());
        while (auto entry = reader.next()) {
            if (listing.entries.size() < most) listing.entries.push_back(std::move(*entry));
        }
        listing.contents = reader.contents();
    }

    std::size_t most;
    Listing listing;
    Worker worker;
};

Lister::Lister(asio::any_io_executor executor, std::size_t most)
    : work_(std::make_unique<Work>(executor, most)) {
    work_->worker.start([work = work_.get()] { work->list(); });
}

Lister::~Lister() = default;

Task<> Lister::write(std::span<const char> tar) {
    co_await work_->worker.in.write(tar);
}

Task<Listing> Lister::finish() {
    work_->worker.in.finish();
    co_await work_->worker.ended();
    co_return std::move(work_->listing);
}

struct FileContent::Work {
    explicit Work(const asio::any_io_executor& executor) : heard(executor, 1), worker(executor) {}

    void read() {
        TarReader reader([this](std::span<char> room) { return worker.in.read_blocking(room); }, false,
                         Limits());
        head = reader.next();
        if (!head || head->type != EntryType::kFile) {
            throw base::Error(base::ErrorCode::kConflict, "not_a_file",
                              "There is no file of this path, but a directory or a link; ask for a file.");
        }
        heard.finish();
        std::vector<char> piece(kPiece);
        while (const auto got = reader.read(piece))
            worker.out.write_blocking(std::span(piece).first(got));
        drain(worker.in);
    }

    std::optional<Entry> head;
    base::Pipe heard;  // finished when `head` is there
    Worker worker;
};

FileContent::FileContent(asio::any_io_executor executor) : work_(std::make_unique<Work>(executor)) {
    work_->worker.start([work = work_.get()] {
        try {
            work->read();
        } catch (...) {
            work->heard.fail(std::current_exception());
            throw;
        }
    });
}

FileContent::~FileContent() = default;

Task<> FileContent::write(std::span<const char> tar) {
    co_await work_->worker.in.write(tar);
}

void FileContent::finish() {
    work_->worker.in.finish();
}

void FileContent::fail(std::exception_ptr reason) {
    work_->worker.in.fail(reason);
}

Task<Entry> FileContent::head() {
    std::array<char, 1> none{};
    co_await work_->heard.read(none);
    co_return *work_->head;
}

Task<std::size_t> FileContent::read(std::span<char> room) {
    co_return co_await work_->worker.out.read(room);
}

}  // namespace agentdb9::archive
