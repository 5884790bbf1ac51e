#include "runtime/docker/engine_calls.hpp"

#include <gtest/gtest.h>

namespace agentdb9::runtime::docker {
namespace {

TEST(EngineCallName, HasNoNamesInIt) {
    const auto id = std::string(64, 'f');
    EXPECT_EQ(engine_call_name("GET", "/info"), "GET /info");
    EXPECT_EQ(engine_call_name("GET", "/containers/json?all=1&filters=%7B%7D"), "GET /containers/json");
    EXPECT_EQ(engine_call_name("POST", "/containers/create?name=agentdb9-workspace-1"),
              "POST /containers/create");
    EXPECT_EQ(engine_call_name("POST", "/containers/" + id + "/start"), "POST /containers/{id}/start");
    EXPECT_EQ(engine_call_name("GET", "/containers/" + id + "/json"), "GET /containers/{id}/json");
    EXPECT_EQ(engine_call_name("DELETE", "/containers/" + id + "?force=1"), "DELETE /containers/{id}");
    EXPECT_EQ(engine_call_name("DELETE", "/volumes/agentdb9-project-1"), "DELETE /volumes/{id}");
    EXPECT_EQ(engine_call_name("GET", "/networks/agentdb9_default"), "GET /networks/{id}");
    EXPECT_EQ(engine_call_name("POST", "/networks/" + id + "/disconnect"), "POST /networks/{id}/disconnect");
    EXPECT_EQ(engine_call_name("GET", "/exec/" + id + "/json"), "GET /exec/{id}/json");
}

TEST(EngineCallName, ANameMayHaveSlashesAndBeAWordItself) {
    EXPECT_EQ(engine_call_name("GET", "/images/registry.example:5000/team/tool:1/json"),
              "GET /images/{id}/json");
    EXPECT_EQ(engine_call_name("POST", "/containers/start/stop"), "POST /containers/{id}/stop");
}

}  // namespace
}  // namespace agentdb9::runtime::docker
