#include "http/websocket_frames.hpp"

#include <gmock/gmock.h>

namespace agentdb9::http {
namespace {

using Kind = WebSocketMessage::Kind;

constexpr std::uint32_t kMask = 0x37fa213d;  // as in the RFC's examples

std::string bytes(std::initializer_list<int> all) {
    std::string out;
    for (const int each : all)
        out += static_cast<char>(each);
    return out;
}

std::uint16_t failure_of(const std::string& text, std::size_t most = 100) {
    WebSocketReader reader(WebSocketSide::kServer, most);
    reader.push(text);
    while (reader.next()) {
    }
    return reader.failure();
}

TEST(WebSocketFrames, AreThoseOfTheSpecification) {
    // RFC 6455 section 5.7.
    EXPECT_EQ(websocket_frame(Kind::kText, "Hello"), bytes({0x81, 0x05}) + "Hello");
    EXPECT_EQ(websocket_frame(Kind::kText, "Hello", kMask),
              bytes({0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58}));
    EXPECT_EQ(websocket_frame(Kind::kBinary, std::string(256, 'x')).substr(0, 4), bytes({0x82, 126, 1, 0}));
    EXPECT_EQ(websocket_frame(Kind::kBinary, std::string(65536, 'x')).substr(0, 10),
              bytes({0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0}));
    // Section 1.3.
    EXPECT_EQ(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    for (const auto* key : {"", "x", "dGhlIHNhbXBsZQ==", "dGhlIHNhbXBsZSBub25jZQ"})
        EXPECT_EQ(websocket_accept(key), std::nullopt) << key;
}

TEST(WebSocketReader, ReadsWhatIsWrittenWhereverItIsCut) {
    const std::string large(70'000, 'y');
    const auto text = websocket_frame(Kind::kBinary, "", kMask) +
                      websocket_frame(Kind::kText,
                                      "Gr\xC3\xBC\xC3\x9F"
                                      "e",
                                      kMask) +
                      websocket_frame(Kind::kPing, "p", kMask) + websocket_frame(Kind::kBinary, large, 1) +
                      websocket_frame(Kind::kClose, bytes({0x03, 0xe8}) + "bye", kMask);
    for (const std::size_t piece : {1UL, 2UL, 5UL, 4096UL, text.size()}) {
        WebSocketReader reader(WebSocketSide::kServer, 70'000);
        std::vector<WebSocketMessage> all;
        for (std::size_t at = 0; at < text.size(); at += piece) {
            reader.push(std::string_view(text).substr(at, piece));
            while (auto message = reader.next())
                all.push_back(std::move(*message));
        }
        ASSERT_EQ(all.size(), 5U) << piece << " " << reader.failure();
        EXPECT_EQ(all[0].bytes, "");
        EXPECT_EQ(all[1].bytes,
                  "Gr\xC3\xBC\xC3\x9F"
                  "e");
        EXPECT_EQ(all[2].kind, Kind::kPing);
        EXPECT_EQ(all[3].bytes, large);
        EXPECT_EQ(all[4].code, 1000);
        EXPECT_EQ(all[4].bytes, "bye");
    }
}

TEST(WebSocketReader, PutsFragmentsTogetherAndLetsControlsPassBetween) {
    auto first = websocket_frame(Kind::kText, "a\xC3", kMask);
    first[0] = 0x01;
    auto last = websocket_frame(Kind::kText, "\xBC", kMask);
    last[0] = static_cast<char>(0x80);
    WebSocketReader reader(WebSocketSide::kServer, 100);
    reader.push(first + websocket_frame(Kind::kPing, "", kMask) + last);
    EXPECT_EQ(reader.next()->kind, Kind::kPing);
    EXPECT_EQ(reader.next()->bytes, "a\xC3\xBC");
    EXPECT_FALSE(reader.next());
    EXPECT_EQ(reader.failure(), 0);
}

TEST(WebSocketReader, RefusesWhatBreaksTheRules) {
    EXPECT_EQ(failure_of(websocket_frame(Kind::kText, "x")), 1002) << "not masked";
    EXPECT_EQ(failure_of(bytes({0xc1, 0x80, 0, 0, 0, 0})), 1002) << "reserved bit";
    EXPECT_EQ(failure_of(bytes({0x83, 0x80, 0, 0, 0, 0})), 1002) << "unknown opcode";
    EXPECT_EQ(failure_of(bytes({0x80, 0x80, 0, 0, 0, 0})), 1002) << "continues nothing";
    EXPECT_EQ(failure_of(bytes({0x01, 0x80, 0, 0, 0, 0, 0x81, 0x80, 0, 0, 0, 0})), 1002)
        << "begins in another";
    EXPECT_EQ(failure_of(bytes({0x09, 0x80, 0, 0, 0, 0})), 1002) << "a ping in pieces";
    EXPECT_EQ(failure_of(websocket_frame(Kind::kPing, std::string(126, 'x'), kMask)), 1002) << "a long ping";
    EXPECT_EQ(failure_of(websocket_frame(Kind::kClose, "x", kMask)), 1002) << "half a code";
    EXPECT_EQ(failure_of(websocket_frame(Kind::kClose, bytes({0x03, 0xed}), kMask)), 1002)
        << "1005 is not sent";
    EXPECT_EQ(failure_of(websocket_frame(Kind::kText, "\xff", kMask)), 1007);
    EXPECT_EQ(failure_of(websocket_frame(Kind::kBinary, std::string(101, 'x'), kMask)), 1009);
    EXPECT_EQ(failure_of(bytes({0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0})),
              1009)
        << "said to be endless: not waited for";
    auto half = websocket_frame(Kind::kBinary, std::string(60, 'x'), kMask);
    half[0] = 0x02;
    auto more = websocket_frame(Kind::kBinary, std::string(60, 'x'), kMask);
    more[0] = static_cast<char>(0x80);
    EXPECT_EQ(failure_of(half + more), 1009) << "in pieces";
    WebSocketReader client(WebSocketSide::kClient, 100);
    client.push(websocket_frame(Kind::kText, "x", kMask));
    EXPECT_FALSE(client.next());
    EXPECT_EQ(client.failure(), 1002) << "a server masks nothing";
}

}  // namespace
}  // namespace agentdb9::http
