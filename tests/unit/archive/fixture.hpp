#pragma once

#include <gmock/gmock.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "archive/archive_file.hpp"
#include "archive/tar_stream.hpp"
#include "base/error.hpp"
#include "support/tar_maker.hpp"

namespace agentdb9::archive {

// A directory of the test's own, and a loop for its coroutines.
class ArchiveFixture : public testing::Test {
  protected:
    ArchiveFixture() {
        auto pattern = (std::filesystem::temp_directory_path() / "agentdb9-archive-XXXXXX").string();
        directory_ = ::mkdtemp(pattern.data());
    }
    ~ArchiveFixture() override { std::filesystem::remove_all(directory_); }

    template <class T>
    T run(Task<T> task) {
        std::exception_ptr failure;
        std::optional<T> result;
        asio::co_spawn(context_, std::move(task), [&](std::exception_ptr error, T value) {
            failure = error;
            if (!error) result = std::move(value);
        });
        context_.restart();
        context_.run();
        if (failure) std::rethrow_exception(failure);
        return std::move(*result);
    }
    asio::any_io_executor executor() { return context_.get_executor(); }

    // The word of what it throws; "" when it throws nothing.
    template <class T>
    std::string word_of(Task<T> task) {
        try {
            run(std::move(task));
            return {};
        } catch (const base::Error& error) {
            sentence = error.message();
            return error.word();
        }
    }

    std::filesystem::path path(const std::string& name) const { return directory_ / name; }
    std::filesystem::path store(const std::string& name, const std::string& bytes) const {
        std::ofstream(path(name), std::ios::binary) << bytes;
        return path(name);
    }
    std::string load(const std::filesystem::path& file) const {
        std::ifstream in(file, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }

    Task<Written> write(std::filesystem::path file, std::string tar, std::size_t piece = 100'000) {
        Writer writer(executor(), file);
        for (std::size_t at = 0; at < tar.size(); at += piece)
            co_await writer.write(std::span(tar).subspan(at, std::min(piece, tar.size() - at)));
        co_return co_await writer.finish();
    }
    Task<std::string> read(std::filesystem::path file, Limits limits = {}) {
        Reader reader(executor(), file, limits);
        std::string tar;
        std::vector<char> room(70'000);
        while (const auto got = co_await reader.read(room))
            tar.append(room.data(), got);
        co_return tar;
    }
    Task<Listing> list(std::string tar, std::size_t most = 1000) {
        Lister lister(executor(), most);
        co_await lister.write(tar);
        co_return co_await lister.finish();
    }

    std::string sentence;

  private:
    asio::io_context context_;
    std::filesystem::path directory_;
};

}  // namespace agentdb9::archive
