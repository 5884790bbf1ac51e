#include "http/websocket.hpp"

#include <gtest/gtest.h>

namespace agentdb9::http {
namespace {

// A frame with its payload; `extended`: bytes of the extended length.
std::string frame(unsigned char first, std::size_t size, bool masked, std::size_t extended) {
    std::string text;
    text += static_cast<char>(first);
    auto mark = extended == 8 ? 127U : extended == 2 ? 126U : static_cast<unsigned>(size);
    text += static_cast<char>(mark | (masked ? 0x80U : 0U));
    for (std::size_t i = extended; i > 0; --i)
        text += static_cast<char>((size >> (8 * (i - 1))) & 0xff);
    if (masked) text += "mask";
    return text + std::string(size, '\x88');
}

TEST(WebSocketFrames, BoundariesAreFoundForEveryFormOfLength) {
    for (bool masked : {false, true}) {
        for (auto [size, extended] : {std::pair<std::size_t, std::size_t>{0, 0},
                                      {1, 0},
                                      {125, 0},
                                      {126, 2},
                                      {65'535, 2},
                                      {5, 2},
                                      {65'536, 8},
                                      {0, 8}}) {
            auto text = frame(0x82, size, masked, extended);
            WebSocketFrameTracker tracker;
            EXPECT_TRUE(tracker.at_boundary());
            tracker.feed(std::string_view(text).substr(0, text.size() - 1));
            EXPECT_FALSE(tracker.at_boundary()) << size;
            tracker.feed(std::string_view(text).substr(text.size() - 1));
            EXPECT_TRUE(tracker.at_boundary()) << size;
            EXPECT_FALSE(tracker.close_seen());
        }
    }
}

TEST(WebSocketFrames, SplittingTheBytesChangesNothing) {
    auto text = frame(0x01, 3, true, 0) + frame(0x89, 0, true, 0) + frame(0x80, 300, false, 2) +
                frame(0x82, 70'000, true, 8);
    for (std::size_t size : {1UL, 2UL, 3UL, 7UL, 13UL, 1000UL}) {
        WebSocketFrameTracker tracker;
        for (std::size_t at = 0; at < text.size(); at += size)
            tracker.feed(std::string_view(text).substr(at, size));
        EXPECT_TRUE(tracker.at_boundary()) << size;
    }
}

TEST(WebSocketFrames, FeedingStopsAtTheFirstBoundary) {
    auto one = frame(0x81, 10, false, 0);
    auto two = one + frame(0x81, 200, false, 2);
    WebSocketFrameTracker tracker;
    EXPECT_EQ(tracker.feed_to_boundary(two), one.size());
    EXPECT_TRUE(tracker.at_boundary());
    EXPECT_EQ(tracker.feed_to_boundary(std::string_view(two).substr(one.size(), 50)), 50U);
    EXPECT_FALSE(tracker.at_boundary());
    EXPECT_EQ(tracker.feed_to_boundary(""), 0U);
}

TEST(WebSocketFrames, ACloseFrameIsSeen) {
    WebSocketFrameTracker tracker;
    // The payload of another frame may look like one.
    tracker.feed(frame(0x82, 40, false, 0));
    EXPECT_FALSE(tracker.close_seen());
    tracker.feed(frame(0x88, 2, true, 0));
    EXPECT_TRUE(tracker.close_seen());
}

TEST(WebSocketFrames, TheLargestLengthIsCounted) {
    WebSocketFrameTracker tracker;
    tracker.feed(std::string("\x82\x7f", 2) + std::string(8, '\xff'));
    EXPECT_FALSE(tracker.at_boundary());
    tracker.feed(std::string(100'000, 'x'));
    EXPECT_FALSE(tracker.at_boundary());
}

TEST(WebSocketFrames, OurCloseFrameIsAServersOne) {
    EXPECT_EQ(websocket_close_frame(1008, "bye"), std::string("\x88\x05\x03\xf0"
                                                              "bye",
                                                              7));
    EXPECT_EQ(websocket_close_frame(1001, ""), std::string("\x88\x02\x03\xe9", 4));
    WebSocketFrameTracker tracker;
    tracker.feed(websocket_close_frame(1012, std::string(123, 'x')));
    EXPECT_TRUE(tracker.at_boundary());
    EXPECT_TRUE(tracker.close_seen());
}

}  // namespace
}  // namespace agentdb9::http
