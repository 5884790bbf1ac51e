#include "http/stream.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <random>

#include "sockets.hpp"

namespace agentdb9::http {
namespace {

using test::StreamPair;
using namespace std::chrono_literals;

TEST(Stream, ReceivesWithoutWaitingWhatIsThere) {
    StreamPair pair;
    std::array<char, 8> into{};
    EXPECT_EQ(pair.stream->try_recv(into), 0U);
    pair.write("abc");
    ASSERT_TRUE(pair.run(pair.stream->wait_readable(kNever)));
    EXPECT_EQ(pair.stream->try_recv(into), 3U);
    pair.close_other();
    ASSERT_TRUE(pair.run(pair.stream->wait_readable(kNever)));
    EXPECT_EQ(pair.stream->try_recv(into).error(), IoError::kEnd);
    EXPECT_EQ(pair.stream->bytes_received(), 3U);
}

// Few bytes are put together before they are sent, more go as a list; the system takes either in part.
TEST(Stream, PartsOfAnySizeArriveInOrder) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto any = [&](std::size_t most) {
        return std::uniform_int_distribution<std::size_t>(0, most)(random);
    };
    bool in_part = false;
    for (int round = 0; round < 200; ++round) {
        StreamPair pair;
        const int little = 1024;
        ::setsockopt(pair.own, SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
        std::array<std::string, 4> texts;
        std::array<std::string_view, 4> parts;
        std::string all;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            texts[i].resize(any(round % 2 == 0 ? 2'000 : 9'000));
            std::ranges::generate(texts[i], [&] { return static_cast<char>(any(255)); });
            parts[i] = texts[i];
            all += texts[i];
        }
        std::string arrived;
        while (true) {
            ASSERT_TRUE(pair.stream->try_send(parts));
            const bool whole = is_sent(parts);
            in_part = in_part || !whole;
            std::array<char, 64UL * 1024> bytes;
            const auto got = ::recv(pair.other, bytes.data(), bytes.size(), MSG_DONTWAIT);
            if (got > 0) arrived.append(bytes.data(), static_cast<std::size_t>(got));
            if (whole && got <= 0) break;
            if (!whole)
                pair.run([](Stream& stream) -> Task<int> {
                    co_await stream.wait_writable();
                    co_return 0;
                }(*pair.stream));
        }
        ASSERT_EQ(arrived, all);
        EXPECT_EQ(pair.stream->bytes_sent(), all.size());
    }
    EXPECT_TRUE(in_part);
}

TEST(Stream, AnInterruptWakesThisWaitOrTheNext) {
    StreamPair pair;
    pair.stream->interrupt();
    EXPECT_EQ(pair.run(pair.stream->wait_readable(kNever)).error(), IoError::kCancelled);
    std::array<char, 8> into{};
    EXPECT_EQ(pair.stream->try_recv(into), 0U);
    asio::post(pair.io, [&] { asio::post(pair.io, [&] { pair.stream->interrupt(); }); });
    EXPECT_EQ(pair.run(pair.stream->wait_readable(kNever)).error(), IoError::kCancelled);
    pair.stream->interrupt();
    pair.stream->forget_interrupt();
    pair.write("x");
    EXPECT_TRUE(pair.run(pair.stream->wait_readable(kNever)));
    EXPECT_TRUE(pair.stream->is_open());
}

TEST(Stream, ClosingEndsWhatWaits) {
    StreamPair pair;
    std::array<char, 8> into{};
    EXPECT_EQ(pair.stream->try_recv(into), 0U);
    asio::post(pair.io, [&] { asio::post(pair.io, [&] { pair.stream->close(); }); });
    EXPECT_EQ(pair.run(pair.stream->wait_readable(kNever)).error(), IoError::kClosed);
    EXPECT_EQ(pair.run(pair.stream->send("x")).error(), IoError::kClosed);
    EXPECT_EQ(pair.stream->try_recv(into).error(), IoError::kClosed);
}

TEST(Stream, APeerThatTakesNothingRunsIntoTheStallLimit) {
    StreamPair pair;
    pair.stream->set_stall_limit(1ms);
    auto sent = pair.run(pair.stream->send(std::string(16UL * 1024 * 1024, 'x')));
    EXPECT_EQ(sent.error(), IoError::kTimeout);
    EXPECT_FALSE(pair.stream->is_open());
}

TEST(Stream, SendingToOneThatHasGoneIsAReset) {
    StreamPair pair;
    pair.close_other();
    EXPECT_EQ(pair.run(pair.stream->send("x")).error(), IoError::kReset);
}

TEST(Stream, AConnectionThatWeHaveNothingLeftForIsToldFromOneThatIsRefused) {
    StreamPair pair;
    const asio::ip::tcp::endpoint nobody(asio::ip::make_address("127.0.0.1"), 1);
    const auto connect = [&] { return pair.run(Stream::connect(pair.loop, nobody, pair.loop.after(10s))); };
    EXPECT_EQ(connect().error(), IoError::kReset);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const int lowest = ::dup(pair.other);
    ::close(lowest);
    const rlimit full{static_cast<rlim_t>(lowest), before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &full), 0);
    const auto error = connect().error();
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_EQ(error, IoError::kExhausted);
}

TEST(Stream, IsQuietUntilAnythingComes) {
    StreamPair pair;
    EXPECT_TRUE(pair.stream->is_quiet(true));
    pair.write("x");
    EXPECT_FALSE(pair.stream->is_quiet(true));
    StreamPair ended;
    ended.close_other();
    EXPECT_FALSE(ended.stream->is_quiet(true));
}

TEST(Stream, AWatchedPeerThatGoesIsNoticedWithoutReading) {
    StreamPair pair;
    bool gone = false;
    pair.stream->watch_peer([&] { gone = true; });
    asio::post(pair.io, [&] { pair.close_other(); });
    // Nobody reads: the one who waits does so for the stream's end.
    auto waited = pair.run([](Stream& stream) -> Task<IoResult<>> {
        asio::steady_timer timer(stream.loop().io());
        for (int i = 0; i < 1000 && stream.is_open(); ++i) {
            timer.expires_after(5ms);
            co_await timer.async_wait(asio::use_awaitable);
        }
        co_return IoResult<>();
    }(*pair.stream));
    EXPECT_TRUE(waited);
    EXPECT_TRUE(gone);
    EXPECT_FALSE(pair.stream->is_open());
}

TEST(Reader, HoldsABlockOnlyWhileThereAreBytes) {
    StreamPair pair;
    Reader reader(*pair.stream);
    EXPECT_EQ(pair.loop.blocks_in_use(), 0U);
    pair.write("abc");
    ASSERT_TRUE(pair.run(reader.fill(kNever)));
    EXPECT_EQ(pair.loop.blocks_in_use(), 1U);
    EXPECT_EQ(reader.data(), "abc");
    reader.consume(1);
    EXPECT_EQ(reader.data(), "bc");
    reader.consume(2);
    EXPECT_EQ(pair.loop.blocks_in_use(), 0U);
    EXPECT_EQ(pair.run(reader.fill(pair.loop.now())).error(), IoError::kTimeout);
    EXPECT_EQ(pair.loop.blocks_in_use(), 0U);
}

TEST(Reader, KeepsWhatIsNotConsumedWhenTheBlockIsFull) {
    StreamPair pair;
    Reader reader(*pair.stream);
    std::string expected;
    for (int i = 0; i < 50; ++i) {
        std::string piece(5000, static_cast<char>('a' + i % 26));
        pair.write(piece);
        expected += piece;
        ASSERT_TRUE(pair.run(reader.fill(kNever)));
        ASSERT_EQ(reader.data(), std::string_view(expected).substr(0, reader.data().size()));
        auto taken = std::min<std::size_t>(reader.data().size(), 4000);
        reader.consume(taken);
        expected.erase(0, taken);
        while (reader.data().size() > 40'000) {
            reader.consume(1000);
            expected.erase(0, 1000);
        }
    }
}

}  // namespace
}  // namespace agentdb9::http
