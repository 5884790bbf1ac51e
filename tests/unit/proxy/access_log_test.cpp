#include "proxy/access_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.hpp"

namespace agentdb9::proxy {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string line_of(const AccessRecord& record) {
    std::string line;
    append_access_line(record, line);
    return line;
}

AccessRecord full() {
    AccessRecord record;
    record.time = base::parse_time("2026-11-24T04:15:00.123Z").value();
    record.kind = RequestKind::kUpgrade;
    record.id = "id-1";
    record.method = "GET";
    record.path = "/a/b";
    record.address = "192.0.2.1";
    record.upgrade = "websocket";
    record.reason = "foreign_origin";
    record.user = "u";
    record.workspace = "w";
    record.port = 8080;
    record.status = 403;
    record.aborted = true;
    record.bytes_in = 10;
    record.bytes_out = 20;
    record.duration_us = 1'234'567;
    record.connect_us = 89;
    record.first_byte_us = 1'000;
    return record;
}

TEST(AccessLine, HasEveryFact) {
    EXPECT_EQ(
        line_of(full()),
        "{\"time\":\"2026-11-24T04:15:00.123Z\",\"level\":\"info\",\"event\":\"access\",\"requestId\":\"id-"
        "1\","
        "\"kind\":\"upgrade\",\"method\":\"GET\",\"path\":\"/a/b\",\"protocol\":\"HTTP/1.1\","
        "\"upgrade\":\"websocket\",\"status\":403,\"reason\":\"foreign_origin\",\"aborted\":true,\"bytesIn\":"
        "10,"
        "\"bytesOut\":20,\"durationMs\":1234.567,\"connectMs\":0.089,\"firstByteMs\":1.000,\"userId\":\"u\","
        "\"workspaceId\":\"w\",\"port\":8080,\"address\":\"192.0.2.1\"}\n");
}

TEST(AccessLine, LeavesOutWhatIsNotKnown) {
    AccessRecord record;
    record.id = "x";
    const auto line = line_of(record);
    for (const auto* name : {"method", "status", "reason", "aborted", "connectMs", "firstByteMs", "userId",
                             "port", "workspaceId", "upgrade", "protocol"})
        EXPECT_THAT(line, Not(HasSubstr("\"" + std::string(name) + "\""))) << line;
}

TEST(AccessLine, IsOneLineOfJsonWhateverTheRequestSays) {
    auto record = full();
    record.path = "/\"\\\n\r\x01\x7f\xff{}";
    record.method = "\"";
    const auto line = line_of(record);
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    const auto value = base::parse_json(std::string_view(line).substr(0, line.size() - 1));
    EXPECT_EQ(value.at("path").as_string(), "/\"\\?????{}");
    EXPECT_EQ(value.at("method").as_string(), "\"");
}

TEST(AccessLine, CutsALongPath) {
    auto record = full();
    record.path = "/" + std::string(30'000, 'x');
    EXPECT_LT(line_of(record).size(), 2'000U);
    EXPECT_THAT(line_of(record), HasSubstr("xxx...\""));
}

TEST(AccessLane, GivesBackInOrderAndRefusesWhenFull) {
    AccessLane lane(AccessMode::kAll, 1, 4);
    const auto put = [&](int status) {
        return lane.put([&](AccessRecord& record) { record.status = status; });
    };
    std::vector<int> seen;
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 4; ++i)
            EXPECT_TRUE(put(round * 10 + i));
        EXPECT_FALSE(put(99));
        lane.take([&](const AccessRecord& record) { seen.push_back(record.status); });
    }
    EXPECT_THAT(seen, testing::ElementsAre(0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23));
}

TEST(AccessLane, SampledWantsOneInSoManyAndEveryFailure) {
    AccessLane lane(AccessMode::kSampled, 10, 4);
    int wanted = 0;
    for (int i = 0; i < 100; ++i)
        wanted += lane.wants(200) ? 1 : 0;
    EXPECT_EQ(wanted, 10);
    for (int i = 0; i < 20; ++i)
        EXPECT_TRUE(lane.wants(502));
    AccessLane all(AccessMode::kAll, 10, 4);
    for (int i = 0; i < 20; ++i)
        EXPECT_TRUE(all.wants(200));
}

TEST(AccessLog, WritesEverythingBeforeItEndsAndNeverHalfALine) {
    std::vector<std::string> pieces;
    {
        AccessOptions options;
        options.mode = AccessMode::kAll;
        options.queue = 2'048;
        options.write = [&](std::string_view lines) { pieces.emplace_back(lines); };
        AccessLog log(std::move(options), 2);
        for (std::size_t lane = 0; lane < 2; ++lane)
            for (int i = 0; i < 1'000; ++i)
                EXPECT_TRUE(log.lane(lane)->put([](AccessRecord& record) { record.status = 200; }));
    }
    std::size_t lines = 0;
    for (const auto& piece : pieces) {
        EXPECT_TRUE(piece.starts_with('{') && piece.ends_with("}\n"));
        lines += static_cast<std::size_t>(std::ranges::count(piece, '\n'));
    }
    EXPECT_EQ(lines, 2'000U);
}

TEST(AccessLog, ThatIsOffHasNoLanes) {
    AccessLog log({}, 2);
    EXPECT_EQ(log.lane(0), nullptr);
}

}  // namespace
}  // namespace agentdb9::proxy
