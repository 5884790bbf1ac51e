#include "cli/client/server_sent_events.hpp"

#include <gmock/gmock.h>

namespace agentdb9::cli::client {
namespace {

using testing::ElementsAre;

std::vector<std::string> read(std::string_view text, std::size_t piece) {
    std::vector<std::string> all;
    ServerSentEvents events(
        [&](const ServerSentEvent& event) { all.push_back(event.name + "|" + event.id + "|" + event.data); });
    for (std::size_t at = 0; at < text.size(); at += piece)
        EXPECT_TRUE(events.push(text.substr(at, piece)));
    return all;
}

TEST(ServerSentEvents, AreReadWhereverTheyAreCut) {
    const std::string_view text =
        "retry: 2000\n\n: quiet\n\nevent: line\nid: 7\ndata: {\"a\":1}\n\ndata:x\r\ndata: y\r\n\r\nevent: no "
        "data\n\n"
        "event: left\ndata";
    for (const std::size_t piece : {1UL, 2UL, 3UL, 10UL, text.size()})
        EXPECT_THAT(read(text, piece), ElementsAre("line|7|{\"a\":1}", "message|7|x\ny")) << piece;
}

TEST(ServerSentEvents, HaveAnEnd) {
    ServerSentEvents events([](const ServerSentEvent&) {});
    const std::string piece(1 << 20, 'x');
    bool goes_on = true;
    for (int i = 0; goes_on && i < 100; ++i)
        goes_on = events.push(piece);
    EXPECT_FALSE(goes_on);
}

}  // namespace
}  // namespace agentdb9::cli::client
