// A pull answers 200 and tells its failure inside the stream.
#include "engine_world.hpp"

namespace agentdb9::test {
namespace {

using namespace std::chrono_literals;
using runtime::PullProgress;
using runtime::docker::DockerRuntime;
using testing::ElementsAre;
using testing::HasSubstr;
using Then = FakeReply::Then;

class PullTest : public testing::Test, protected EngineWorld {
  protected:
    void pull_says(FakeReply pull) {
        has_it = false;
        engine.script = [this, pull](const FakeRequest& request) -> std::optional<FakeReply> {
            if (request.path.starts_with("/images/create")) {
                has_it = appears;
                return pull;
            }
            if (request.path.starts_with("/images/") && !has_it) return refusal(404, "No such image");
            return std::nullopt;
        };
    }
    std::string word_of_pull() {
        return word_of(runtime->ensure_image("img", [this](const PullProgress& progress) {
            told.push_back(progress.status +
                           (progress.percent ? " " + std::to_string(*progress.percent) : ""));
        }));
    }
    std::unique_ptr<DockerRuntime> runtime =
        std::make_unique<DockerRuntime>(context.get_executor(), clock, base::InstallationId::generate(),
                                        runtime::docker::DockerOptions{.host = engine.host()});
    bool has_it = false;
    bool appears = false;
    std::vector<std::string> told;
};

TEST_F(PullTest, PassesProgressOn) {
    appears = true;
    pull_says(chunked({R"({"status":"Pulling"})"
                       "\n",
                       R"({"status":"Downloading","progressDetail":{"current":10,"total":40},"id":"a"})"
                       "\r\n"
                       R"({"status":"Downloading","progressDetail":{"curr)",
                       R"(ent":30,"total":60},"id":"b"})"
                       "\n",
                       R"({"status":"Complete"})"
                       "\n",
                       ""},
                      Then::kKeep));
    EXPECT_EQ(word_of_pull(), "");
    EXPECT_THAT(told, ElementsAre("Pulling", "Downloading 25", "Downloading 40", "Complete 40"));
    EXPECT_THAT(engine.calls(), testing::Contains("POST /images/create"));
}

TEST_F(PullTest, AsksForOneTagOnly) {
    const std::map<std::string, std::string> asked{{"a", "a%3Alatest"},
                                                   {"a:1", "a%3A1"},
                                                   {"reg:5000/a", "reg%3A5000%2Fa%3Alatest"},
                                                   {"reg:5000/a:1", "reg%3A5000%2Fa%3A1"},
                                                   {"a@sha256:00", "a%40sha256%3A00"}};
    for (const auto& [image, target] : asked) {
        pull_says(refusal(500, "no"));
        word_of(runtime->ensure_image(image, [](const PullProgress&) {}));
        EXPECT_EQ(engine.requests.back().path, "/images/create?fromImage=" + target);
    }
}

TEST_F(PullTest, AFailureInsideTheStreamIsAFailure) {
    for (const auto* end : {"\r\n", ""}) {
        pull_says(chunked(
            {R"({"status":"Pulling"})"
             "\r\n",
             std::string(R"({"error":"no route to registry","errorDetail":{"message":"x"}})") + end, ""},
            Then::kKeep));
        EXPECT_EQ(word_of_pull(), "image_unavailable");
        EXPECT_EQ(last_code, base::ErrorCode::kConflict);
        EXPECT_THAT(last_message, HasSubstr("no route to registry"));
    }
}

TEST_F(PullTest, ARefusedPullSaysWhy) {
    pull_says(refusal(404, "pull access denied for img"));
    EXPECT_EQ(word_of_pull(), "image_unavailable");
    EXPECT_THAT(last_message, HasSubstr("pull access denied"));
}

TEST_F(PullTest, APullThatEndsWellWithoutAnImageIsAFailure) {
    pull_says(chunked({"{\"status\":\"Complete\"}\n", ""}, Then::kKeep));
    EXPECT_EQ(word_of_pull(), "image_unavailable");
}

TEST_F(PullTest, APullThatBreaksOffOrFallsSilentEnds) {
    pull_says(chunked({"{\"status\":\"Pulling\"}\n"}, Then::kClose));
    EXPECT_EQ(word_of_pull(), "runtime_unavailable");
    pull_says(chunked({"{\"status\":\"Pulling\"}\n"}, Then::kHold));
    const auto before = clock.elapsed();
    EXPECT_EQ(word_of_pull(), "runtime_timeout");
    EXPECT_LE(clock.elapsed() - before, 6min);
}

}  // namespace
}  // namespace agentdb9::test
