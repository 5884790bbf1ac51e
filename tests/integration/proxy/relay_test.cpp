#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plane.hpp"

namespace agentdb9::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr auto kBearer = "Authorization: Bearer good\r\n";

TEST(Relay, PassesARequestAndItsAnswer) {
    Upstream upstream(answering([](const Message& request) { return ok(request.head); }));
    Plane plane;
    auto& route = plane.add(upstream.port(), plane.user);
    auto client = plane.api();
    client.send(plane.get("/api/workspaces/" + route.workspace.str() + "/proxy/a/b?c=d", kBearer));
    auto answer = read_message(client);
    EXPECT_EQ(answer.status(), 200) << answer.head << answer.body;
    EXPECT_THAT(answer.body, StartsWith("GET /a/b?c=d HTTP/1.1\r\nHost: agentdb9.test\r\n"));
    EXPECT_THAT(answer.body, Not(HasSubstr("good")));
}

}  // namespace
}  // namespace agentdb9::test
