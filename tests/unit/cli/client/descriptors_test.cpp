#include "cli/client/descriptors.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <string>
#include <thread>

#include "base/descriptor.hpp"

namespace agentdb9::cli::client {
namespace {

using base::Descriptor;

// Neither end waits by itself.
class NonBlockingPipe : public testing::Test {
  protected:
    NonBlockingPipe() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
        out_ = Descriptor(ends[0]);
        in_ = Descriptor(ends[1]);
    }
    Descriptor out_;
    Descriptor in_;
};

TEST_F(NonBlockingPipe, IsReadToItsEndHoweverSlowlyItIsFilled) {
    std::atomic<bool> reads = true;
    std::thread writer([&] {
        for (const char* piece : {"one ", "two ", "three"}) {
            // It has found nothing by then.
            pollfd polled{out_.get(), POLLIN, 0};
            EXPECT_EQ(::poll(&polled, 1, 20), 0);
            EXPECT_TRUE(write_all(in_.get(), piece));
            while (reads && ::poll(&polled, 1, 0) > 0)
                std::this_thread::yield();
        }
        in_ = Descriptor();
    });
    std::string all;
    std::array<char, 100> room{};
    for (;;) {
        const auto got = read_some(out_.get(), room);
        if (!got) ADD_FAILURE() << errno;
        if (got.value_or(0) == 0) break;
        all.append(room.data(), *got);
    }
    reads = false;
    writer.join();
    EXPECT_EQ(all, "one two three");
}

TEST_F(NonBlockingPipe, TakesMoreThanItHasRoomFor) {
    const std::string all(std::size_t{1} << 20, 'x');
    std::size_t read = 0;
    std::thread reader([&] {
        std::array<char, 5000> room{};
        for (;;) {
            const auto got = ::read(out_.get(), room.data(), room.size());
            if (got == 0) return;
            if (got > 0) read += static_cast<std::size_t>(got);
        }
    });
    EXPECT_TRUE(write_all(in_.get(), all));
    in_ = Descriptor();
    reader.join();
    EXPECT_EQ(read, all.size());
}

TEST(Descriptors, FailuresAreNoEnd) {
    const Descriptor directory(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    std::array<char, 10> room{};
    EXPECT_EQ(read_some(directory.get(), room), std::nullopt);
    EXPECT_EQ(errno, EISDIR);
    const Descriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    EXPECT_FALSE(write_all(full.get(), "x"));
    EXPECT_EQ(errno, ENOSPC);
}

}  // namespace
}  // namespace agentdb9::cli::client
