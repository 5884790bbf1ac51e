#include "http/chunked.hpp"

#include <gtest/gtest.h>

namespace agentdb9::http {
namespace {

struct Decoded {
    std::string body;
    std::string trailers;
    std::size_t used = 0;
    bool done = false;
    bool failed = false;
    friend bool operator==(const Decoded&, const Decoded&) = default;
};

// Feeds `text` in pieces of at most `size` bytes.
Decoded decode(std::string_view text, std::size_t size = std::string_view::npos) {
    ChunkedDecoder decoder;
    Decoded result;
    while (!text.empty() && !decoder.done()) {
        auto piece = text.substr(0, size);
        text.remove_prefix(piece.size());
        while (!piece.empty() && !decoder.done()) {
            auto step = decoder.step(piece);
            if (!step) {
                result.failed = true;
                return result;
            }
            result.body += step->data;
            result.used += step->used;
            piece.remove_prefix(step->used);
        }
    }
    result.done = decoder.done();
    result.trailers = decoder.trailers();
    return result;
}

TEST(Chunked, IsReadUpToItsEnd) {
    auto result = decode("5\r\nhello\r\n1\r\n \r\n005\r\nworld\r\n0\r\n\r\nGET / HTTP/1.1");
    EXPECT_TRUE(result.done);
    EXPECT_EQ(result.body, "hello world");
    EXPECT_EQ(result.trailers, "");
    EXPECT_EQ(result.used, 33U);
}

TEST(Chunked, SizesAreHexadecimalInEitherCase) {
    EXPECT_EQ(decode("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n").body.size(), 20U);
    EXPECT_EQ(decode("1F\r\n" + std::string(31, 'x') + "\r\n00\r\n\r\n").body.size(), 31U);
}

TEST(Chunked, ExtensionsAreReadOver) {
    EXPECT_EQ(decode("3;a=b;c=\"d;e\"\r\nabc\r\n0;last\r\n\r\n").body, "abc");
    EXPECT_EQ(decode("3; a = b\r\nabc\r\n0\r\n\r\n").body, "abc");
    EXPECT_TRUE(decode("3;a\x01\r\nabc\r\n0\r\n\r\n").failed);
    EXPECT_TRUE(decode("3;a\nabc\r\n0\r\n\r\n").failed);
    EXPECT_TRUE(decode("3;a\rb\r\nabc\r\n0\r\n\r\n").failed);
    EXPECT_TRUE(decode("3;" + std::string(5000, 'x') + "\r\nabc\r\n0\r\n\r\n").failed);
}

TEST(Chunked, TrailersAreKept) {
    auto result = decode("0\r\nA: b\r\nC: d\r\n\r\nrest");
    EXPECT_TRUE(result.done);
    EXPECT_EQ(result.trailers, "A: b\r\nC: d\r\n");
    EXPECT_TRUE(decode("0\r\nA: b\n\r\n").failed);
    EXPECT_TRUE(decode("0\r\nA: b\rC\r\n\r\n").failed);
    EXPECT_TRUE(decode("0\r\n\n").failed);
    EXPECT_TRUE(decode("0\r\n" + std::string(20'000, 'x') + "\r\n\r\n").failed);
    EXPECT_FALSE(decode("0\r\nA: b\r\n").done);
}

TEST(Chunked, MalformedSizesAreRefused) {
    for (std::string_view text :
         {"\r\n", " 5\r\nhello\r\n", "5 \r\nhello\r\n", "\t5\r\nhello\r\n", "0x5\r\nhello\r\n",
          "-5\r\nhello\r\n", "+5\r\nhello\r\n", "g\r\n", "5\nhello\r\n", "5\rhello\r\n", "5,5\r\nhello\r\n",
          ";a\r\n", "5\x0b\r\nhello\r\n", "5\r\r\nhello\r\n", "ffffffffffffffff\r\n", "10000000000000000\r\n",
          "0000000000000000000005\r\nhello\r\n", "\n5\r\nhello\r\n"})
        EXPECT_TRUE(decode(text).failed) << text;
    EXPECT_TRUE(decode(std::string_view("5\0\r\nhello\r\n", 11)).failed);
}

TEST(Chunked, AChunkIsAsLongAsItsSizeSays) {
    EXPECT_TRUE(decode("4\r\nhello\r\n0\r\n\r\n").failed);
    EXPECT_TRUE(decode("6\r\nhello\r\n0\r\n\r\n").failed);
    EXPECT_TRUE(decode("5\r\nhello\n0\r\n\r\n").failed);
    EXPECT_TRUE(decode("5\r\nhello\rX0\r\n\r\n").failed);
    EXPECT_TRUE(decode("5\r\nhello0\r\n\r\n").failed);
}

TEST(Chunked, HugeSizesDoNotOverflow) {
    ChunkedDecoder decoder;
    auto step = decoder.step("fffffffffffffff\r\nabc");
    ASSERT_TRUE(step);
    EXPECT_EQ(step->data, "abc");
    EXPECT_FALSE(decoder.done());
}

TEST(Chunked, AStreamCutAnywhereIsNotDone) {
    const std::string text = "5;x=y\r\nhello\r\n1\r\n \r\n0\r\nA: b\r\n\r\n";
    for (std::size_t size = 0; size < text.size(); ++size) {
        auto result = decode(text.substr(0, size));
        EXPECT_FALSE(result.done) << size;
        EXPECT_FALSE(result.failed) << size;
    }
}

TEST(Chunked, SplittingTheBytesChangesNothing) {
    for (std::string_view text : {"5;x=y\r\nhello\r\n1\r\n \r\n0\r\nA: b\r\nC: d\r\n\r\nnext request",
                                  "a\r\n0123456789\r\n0\r\n\r\n", "5\r\nhello\n", "zz"}) {
        auto whole = decode(text);
        for (std::size_t size = 1; size < text.size(); ++size)
            EXPECT_TRUE(decode(text, size) == whole) << text << " in pieces of " << size;
    }
}

TEST(Chunked, HeadersAreMinimalHexadecimal) {
    EXPECT_EQ(chunk_header(1), "1\r\n");
    EXPECT_EQ(chunk_header(0x1f40), "1f40\r\n");
    EXPECT_EQ(chunk_header(~std::size_t{0}), "ffffffffffffffff\r\n");
}

}  // namespace
}  // namespace agentdb9::http
