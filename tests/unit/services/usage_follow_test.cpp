// What a container uses, watched by several: one stream of the engine's, over stops and outages.
#include <gmock/gmock.h>

#include "services/monitoring_service.hpp"
#include "unit/services/monitoring_fixture.hpp"

namespace agentdb9::services {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string written(const UsageEvent& event) {
    struct Text {
        std::string operator()(const runtime::Usage& usage) const {
            return std::to_string(usage.pids) + "\n";
        }
        std::string operator()(const InstanceSeen& seen) const {
            return seen.instance ? std::string(model::to_text(seen.instance->state)) + "\n" : "none\n";
        }
        std::string operator()(const Interrupted& why) const { return why.code + "\n"; }
        std::string operator()(const Deleted&) const { return "deleted\n"; }
    };
    return std::visit(Text(), event);
}

struct Viewer {
    std::vector<std::string> told;
    bool ended = false;
    bool paused = false;
};

class UsageFollow : public MonitoredWorkspace {
  protected:
    UsageFollow() {
        reconciler_.on_change([this](const base::WorkspaceId& id) { service_.changed(id); });
    }
    ~UsageFollow() override {
        run(viewers_.close());
        run(service_.stop());
    }

    static Task<> listen(Viewer& viewer, std::shared_ptr<UsageWatch> watch, base::Clock& clock) {
        for (;;) {
            while (viewer.paused)
                co_await clock.sleep_for(10ms);
            const auto text = co_await watch->next();
            if (!text) break;
            for (std::string_view rest = *text; !rest.empty();) {
                const auto end = rest.find('\n');
                viewer.told.emplace_back(rest.substr(0, end));
                rest.remove_prefix(end + 1);
            }
        }
        viewer.ended = true;
    }
    Viewer& follow() {
        auto& viewer = all_.emplace_back();
        viewers_.spawn("listen", listen(viewer, run(service_.watch_usage(user_, workspace_)), clock_));
        return viewer;
    }

    MonitoringService service_{loop_.executor(), clock_,  monitoring_,
                               finder_,          reader_, {.log = {}, .usage = written}};
    std::list<Viewer> all_;
    base::Scope viewers_{loop_.executor()};
};

TEST_F(UsageFollow, HasOneStreamForAllAndNoneForNobody) {
    auto& first = follow();
    loop_.run_for(2500ms);
    EXPECT_THAT(first.told, ElementsAre("running", "1", "2"));
    auto& late = follow();
    loop_.run_for(1s);
    EXPECT_THAT(late.told, ElementsAre("running", "2", "3")) << "it begins with what is known";
    for (int i = 0; i < 500; ++i)
        follow();
    loop_.run_for(1s);
    EXPECT_EQ(monitoring_.follows, 1);
    EXPECT_EQ(service_.counts().usage_streams, 1);
    EXPECT_EQ(service_.counts().usage_watchers, 502);
    viewers_.cancel();
    loop_.run_for(5s);
    EXPECT_EQ(monitoring_.open, 0);
    EXPECT_EQ(service_.counts().usage_streams + service_.counts().usage_watchers, 0);
}

TEST_F(UsageFollow, SkipsSamplesForTheSlow) {
    auto& slow = follow();
    loop_.run_for(100ms);
    slow.paused = true;
    loop_.run_for(5min);
    slow.paused = false;
    loop_.run_for(2s);
    EXPECT_LT(slow.told.size(), 50U);
    EXPECT_EQ(slow.told.back(), std::to_string(monitoring_.samples));
}

TEST_F(UsageFollow, TellsOfAStopAndGoesOnAfterAStart) {
    auto& viewer = follow();
    loop_.run_for(1500ms);
    run(containers_.stop_workspace(user_, workspace_, {}));
    monitoring_.end(instance_);
    loop_.run_for(30s);
    EXPECT_THAT(viewer.told, ElementsAre("running", "1", "exited"));
    EXPECT_EQ(monitoring_.open, 0);
    EXPECT_EQ(monitoring_.follows, 1) << "what does not run is not asked again and again";
    monitoring_.ended.clear();
    start();
    loop_.run_for(2500ms);
    ASSERT_GE(viewer.told.size(), 5U);
    EXPECT_EQ(viewer.told[3], "running");
    EXPECT_EQ(viewer.told[4], "2");
}

TEST_F(UsageFollow, TellsOfAnOutageOnce) {
    auto& viewer = follow();
    loop_.run_for(1500ms);
    monitoring_.away = true;
    loop_.run_for(1min);
    EXPECT_THAT(viewer.told, ElementsAre("running", "1", "runtime_unavailable"));
    monitoring_.away = false;
    loop_.run_for(10s);
    ASSERT_GE(viewer.told.size(), 5U);
    EXPECT_EQ(viewer.told[3], "running") << "it goes on";
    EXPECT_EQ(viewer.told[4], "2");
}

TEST_F(UsageFollow, EndsWithTheWorkspace) {
    auto& viewer = follow();
    loop_.run_for(1500ms);
    run(containers_.delete_workspace(user_, workspace_, {.force = true}));
    monitoring_.end(instance_);
    loop_.run_for(15s);
    EXPECT_EQ(viewer.told.back(), "deleted");
    EXPECT_TRUE(viewer.ended);
}

TEST_F(UsageFollow, IsNobodyElses) {
    user_ = base::UserId::generate();
    EXPECT_EQ(word_of([&] { follow(); }), "workspace_not_found");
    EXPECT_EQ(monitoring_.follows, 0);
}

}  // namespace
}  // namespace agentdb9::services
