#include "http/body.hpp"

#include <gtest/gtest.h>

#include "sockets.hpp"

namespace agentdb9::http {
namespace {

using test::StreamPair;
using Kind = Framing::Kind;
using Form = BodyReader::Form;

struct Received {
    std::string bytes;
    std::optional<IoError> error;
    std::string malformed;
    std::string trailers;
    std::string rest;  // of the stream, behind the body
};

Task<Received> read_all(Reader& reader, Framing framing, Form form, base::SteadyTime deadline) {
    Received received;
    BodyReader body(reader, framing, form);
    while (!body.done()) {
        auto piece = co_await body.next(deadline);
        if (!piece) {
            received.error = piece.error();
            break;
        }
        received.bytes += piece->bytes;
        body.consume(*piece);
    }
    received.malformed = body.malformed();
    received.trailers = body.trailers();
    received.rest = reader.data();
    co_return received;
}

// Everything is there, and then the end.
Received receive(std::string_view text, Framing framing, Form form = Form::kDecoded) {
    StreamPair pair;
    pair.write(text);
    pair.close_other();
    Reader reader(*pair.stream);
    return pair.run(read_all(reader, framing, form, kNever));
}

// The bytes come one at a time.
Received receive_slowly(std::string_view text, Framing framing, Form form) {
    StreamPair pair;
    Reader reader(*pair.stream);
    asio::co_spawn(
        pair.io,
        [](StreamPair& to, std::string bytes) -> Task<> {
            for (char c : bytes) {
                to.write({&c, 1});
                co_await asio::post(to.io, asio::use_awaitable);
                co_await asio::post(to.io, asio::use_awaitable);
            }
            to.close_other();
        }(pair, std::string(text)),
        asio::detached);
    return pair.run(read_all(reader, framing, form, kNever));
}

TEST(BodyReader, NoBodyIsDoneAtOnce) {
    StreamPair pair;
    Reader reader(*pair.stream);
    EXPECT_TRUE(BodyReader(reader, {}, Form::kDecoded).done());
    EXPECT_TRUE(BodyReader(reader, {Kind::kLength, 0}, Form::kAsSent).done());
    EXPECT_FALSE(BodyReader(reader, {Kind::kLength, 1}, Form::kAsSent).done());
}

TEST(BodyReader, ALengthIsReadAndNoByteMore) {
    auto received = receive("helloNEXT", {Kind::kLength, 5});
    EXPECT_EQ(received.bytes, "hello");
    EXPECT_EQ(received.rest, "NEXT");
    EXPECT_FALSE(received.error);
}

TEST(BodyReader, ABodyThatEndsTooEarlyIsAnError) {
    EXPECT_EQ(receive("hell", {Kind::kLength, 5}).error, IoError::kReset);
    EXPECT_EQ(receive("5\r\nhello\r\n", {Kind::kChunked, 0}).error, IoError::kReset);
    EXPECT_EQ(receive("5\r\nhello\r\n0\r\n", {Kind::kChunked, 0}, Form::kAsSent).error, IoError::kReset);
}

TEST(BodyReader, UntilCloseIsAllThatComes) {
    auto received = receive(std::string(100'000, 'x'), {Kind::kUntilClose, 0});
    EXPECT_EQ(received.bytes.size(), 100'000U);
    EXPECT_FALSE(received.error);
}

TEST(BodyReader, ChunksAreDecodedOrKeptAsSent) {
    const std::string text = "5;x=y\r\nhello\r\n3\r\n wo\r\n0;z\r\nA: b\r\n\r\nNEXT";
    auto decoded = receive(text, {Kind::kChunked, 0});
    EXPECT_EQ(decoded.bytes, "hello wo");
    EXPECT_EQ(decoded.trailers, "A: b\r\n");
    EXPECT_EQ(decoded.rest, "NEXT");
    auto as_sent = receive(text, {Kind::kChunked, 0}, Form::kAsSent);
    EXPECT_EQ(as_sent.bytes, "5;x=y\r\nhello\r\n3\r\n wo\r\n0;z\r\n");
    EXPECT_EQ(as_sent.trailers, "A: b\r\n");
    EXPECT_EQ(as_sent.rest, "NEXT");
}

TEST(BodyReader, BytesThatComeOneByOneMakeTheSameBody) {
    const std::string text = "5;x=y\r\nhello\r\n3\r\n wo\r\n0;z\r\nA: b\r\n\r\n";
    EXPECT_EQ(receive_slowly(text, {Kind::kChunked, 0}, Form::kDecoded).bytes, "hello wo");
    auto as_sent = receive_slowly(text, {Kind::kChunked, 0}, Form::kAsSent);
    EXPECT_EQ(as_sent.bytes, "5;x=y\r\nhello\r\n3\r\n wo\r\n0;z\r\n");
    EXPECT_EQ(as_sent.trailers, "A: b\r\n");
    EXPECT_EQ(receive_slowly("hello", {Kind::kLength, 5}, Form::kAsSent).bytes, "hello");
}

TEST(BodyReader, MalformedChunksAreTold) {
    auto received = receive("5\r\nhello\r\nx\r\n", {Kind::kChunked, 0});
    EXPECT_EQ(received.bytes, "hello");
    EXPECT_EQ(received.error, IoError::kReset);
    EXPECT_EQ(received.malformed, "a chunk has no size");
    EXPECT_EQ(receive("5\r\nhello!\r\n", {Kind::kChunked, 0}, Form::kAsSent).malformed,
              "a chunk is longer than its size");
}

TEST(BodyReader, ABodyLargerThanABlockComesInPieces) {
    std::string text;
    for (int i = 0; i < 40; ++i)
        text += "1f40\r\n" + std::string(8000, static_cast<char>('a' + i % 26)) + "\r\n";
    text += "0\r\n\r\n";
    StreamPair pair;
    Reader reader(*pair.stream);
    asio::co_spawn(
        pair.io,
        [](StreamPair& to, std::string bytes) -> Task<> {
            for (std::size_t at = 0; at < bytes.size(); at += 30'000) {
                to.write(std::string_view(bytes).substr(at, 30'000));
                for (int i = 0; i < 4; ++i)
                    co_await asio::post(to.io, asio::use_awaitable);
            }
        }(pair, text),
        asio::detached);
    auto received = pair.run(read_all(reader, {Kind::kChunked, 0}, Form::kAsSent, kNever));
    EXPECT_EQ(received.bytes, text.substr(0, text.size() - 2));
}

TEST(BodyReader, AWaitHasADeadline) {
    StreamPair pair;
    pair.write("he");
    Reader reader(*pair.stream);
    auto received = pair.run(read_all(reader, {Kind::kLength, 5}, Form::kDecoded,
                                      std::chrono::steady_clock::now() + std::chrono::milliseconds(1)));
    EXPECT_EQ(received.bytes, "he");
    EXPECT_EQ(received.error, IoError::kTimeout);
}

}  // namespace
}  // namespace agentdb9::http
