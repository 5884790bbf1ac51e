// A log that several follow: one stream of the engine's for all, seams without loss or repetition, bounded
// memory, and an end.
#include <gmock/gmock.h>

#include "services/monitoring_service.hpp"
#include "unit/services/monitoring_fixture.hpp"

namespace agentdb9::services {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string written(const LogEvent& event) {
    struct Text {
        std::string operator()(const LogLine& line) const {
            return "[" + to_text(line.id) + "]" + line.line.text + "\n";
        }
        std::string operator()(const InstanceSeen& seen) const {
            return seen.instance ? "(" + std::string(model::to_text(seen.instance->state)) + ")\n"
                                 : "(none)\n";
        }
        std::string operator()(const LeftOut& left) const {
            return "(left out " + (left.lines ? std::to_string(*left.lines) : "some") + ")\n";
        }
        std::string operator()(const Interrupted& why) const { return "(" + why.code + ")\n"; }
        std::string operator()(const Deleted&) const { return "(deleted)\n"; }
    };
    return std::visit(Text(), event);
}

// A client: takes whatever comes, unless it is told to be slow.
struct Client {
    std::vector<std::string> lines;    // texts
    std::vector<std::string> remarks;  // whatever else is told
    std::optional<LineId> last;
    bool ended = false;
    bool paused = false;

    void take(std::string_view text) {
        while (!text.empty()) {
            const auto end = text.find('\n');
            const auto line = text.substr(0, end);
            text.remove_prefix(end + 1);
            if (line.starts_with('(')) {
                remarks.emplace_back(line);
                continue;
            }
            const auto close = line.find(']');
            last = line_id_from(line.substr(1, close - 1));
            EXPECT_TRUE(last) << line;
            lines.emplace_back(line.substr(close + 1));
        }
    }
};

class LogFollow : public MonitoredWorkspace {
  protected:
    LogFollow() {
        reconciler_.on_change([this](const base::WorkspaceId& id) { service_.changed(id); });
    }
    ~LogFollow() override {
        run(clients_.close());
        run(service_.stop());
    }

    static Task<> listen(Client& client, std::shared_ptr<LogWatch> watch, base::Clock& clock) {
        for (;;) {
            while (client.paused)
                co_await clock.sleep_for(10ms);
            const auto text = co_await watch->next();
            if (!text) break;
            client.take(*text);
        }
        client.ended = true;
    }
    Client& follow(LogStart start = {}) {
        auto& client = all_.emplace_back();
        follow_as(client, start);
        return client;
    }
    void follow_as(Client& client, const LogStart& start) {
        auto watch = run(service_.watch_log(user_, workspace_, start));
        clients_.spawn("listen", listen(client, std::move(watch), clock_));
    }
    void print(int from, int to) {
        for (int i = from; i < to; ++i)
            monitoring_.print(instance_, std::to_string(i));
    }
    static std::vector<std::string> numbers(int from, int to) {
        std::vector<std::string> all;
        for (int i = from; i < to; ++i)
            all.push_back(std::to_string(i));
        return all;
    }

    MonitoringService service_{loop_.executor(), clock_,  monitoring_,
                               finder_,          reader_, {.log = written, .usage = {}}};
    std::list<Client> all_;
    base::Scope clients_{loop_.executor()};
};

TEST_F(LogFollow, BeginsWithTheLastLinesAndGoesOn) {
    print(0, 300);
    auto& few = follow({.after = {}, .since_ns = {}, .tail = 3});
    auto& usual = follow();
    auto& none = follow({.after = {}, .since_ns = {}, .tail = 0});
    loop_.run_for(1s);
    EXPECT_EQ(few.lines, numbers(297, 300));
    EXPECT_EQ(usual.lines, numbers(100, 300));
    EXPECT_THAT(none.lines, IsEmpty());
    EXPECT_THAT(usual.remarks, IsEmpty())
        << "they do not begin with the instance: it was told before those lines";
    print(300, 302);
    loop_.run_for(1s);
    EXPECT_EQ(few.lines, numbers(297, 302));
    EXPECT_EQ(none.lines, numbers(300, 302));
}

TEST_F(LogFollow, HasOneStreamForAThousandAndNoneForNobody) {
    print(0, 10);
    std::vector<std::shared_ptr<LogWatch>> held;
    for (int i = 0; i < 1000; ++i)
        follow();
    loop_.run_for(1s);
    print(10, 20);
    loop_.run_for(1s);
    EXPECT_EQ(monitoring_.open, 1);
    EXPECT_EQ(monitoring_.follows, 1);
    EXPECT_EQ(monitoring_.reads, 1) << "of what there was";
    EXPECT_EQ(service_.counts().log_streams, 1);
    EXPECT_EQ(service_.counts().log_watchers, 1000);
    for (const auto& client : all_)
        ASSERT_EQ(client.lines, numbers(0, 20));
    clients_.cancel();
    loop_.run_for(5s);
    EXPECT_EQ(monitoring_.open, 0);
    EXPECT_EQ(service_.counts().log_streams, 0);
    EXPECT_EQ(service_.counts().log_watchers, 0);
    follow();
    loop_.run_for(1s);
    EXPECT_EQ(all_.back().lines, numbers(0, 20)) << "the next begins anew";
    EXPECT_EQ(monitoring_.open, 1);
}

TEST_F(LogFollow, TellsTheSlowWhatTheyMissedAndNobodyElse) {
    auto& quick = follow();
    auto& slow = follow();
    loop_.run_for(1s);
    slow.paused = true;
    print(0, 1);
    loop_.run_for(1s);
    for (int i = 1; i < 5000; i += 100) {
        print(i, i + 100);
        loop_.run_for(100ms);
    }
    loop_.run_for(10s);
    slow.paused = false;
    loop_.run_for(10s);
    EXPECT_EQ(quick.lines, numbers(0, 5001));
    EXPECT_EQ(quick.remarks.size(), 1U);
    EXPECT_LT(slow.lines.size(), 4200U);
    EXPECT_EQ(slow.lines.back(), "5000");
    ASSERT_THAT(slow.remarks.back(), HasSubstr("left out"));
    const auto lost = std::stoul(slow.remarks.back().substr(std::string("(left out ").size()));
    EXPECT_EQ(slow.lines.size() + lost, 5001U) << "each line is told or counted";
}

TEST_F(LogFollow, GoesOnAfterALineWithoutLossOrRepetition) {
    print(0, 50);
    auto& client = follow();
    loop_.run_for(1s);
    ASSERT_TRUE(client.last);
    for (const int more : {0, 3, 700, 1500, 4000}) {
        // It goes, and with it the feed; then it comes again.
        const auto before = static_cast<int>(client.lines.size());
        clients_.cancel();
        loop_.run_for(5s);
        ASSERT_EQ(monitoring_.open, 0);
        print(before, before + more);
        follow_as(client, {.after = client.last, .since_ns = {}});
        loop_.run_for(5s);
        EXPECT_EQ(client.lines, numbers(0, before + more)) << more;
        print(before + more, before + more + 5);
        loop_.run_for(1s);
        ASSERT_EQ(client.lines, numbers(0, before + more + 5)) << more;
    }
    for (const auto& remark : client.remarks)
        EXPECT_THAT(remark, Not(HasSubstr("left out")));
}

TEST_F(LogFollow, SaysSoWhereTheGapIsTooWide) {
    print(0, 10);
    auto& client = follow();
    loop_.run_for(1s);
    clients_.cancel();
    loop_.run_for(5s);
    print(10, 12'000);
    follow_as(client, {.after = client.last, .since_ns = {}});
    loop_.run_for(10s);
    EXPECT_EQ(client.lines.back(), "11999");
    EXPECT_LT(client.lines.size(), 12'000U);
    EXPECT_THAT(client.remarks, testing::Contains("(left out some)"));
}

TEST_F(LogFollow, GoesOnAfterABreakOfTheEnginesStream) {
    auto& client = follow();
    print(0, 10);
    loop_.run_for(1s);
    monitoring_.cut();
    loop_.run_for(10ms);
    print(10, 20);
    loop_.run_for(2s);
    EXPECT_EQ(client.lines, numbers(0, 20));
    EXPECT_THAT(client.remarks, ElementsAre("(running)")) << "a break that is over at once is not told";
    // Lines of one moment, and one that stands behind a later one.
    const auto at = monitoring_.logs[instance_].back().at_ns + 5000;
    monitoring_.print(instance_, "20", at);
    monitoring_.print(instance_, "21", at);
    loop_.run_for(1s);
    monitoring_.cut();
    monitoring_.print(instance_, "22", at - 1);
    monitoring_.print(instance_, "23", at);
    loop_.run_for(2s);
    EXPECT_EQ(client.lines, numbers(0, 24));
}

TEST_F(LogFollow, SaysOnceThatTheEngineIsAwayAndGoesOnWhenItIsBack) {
    auto& client = follow();
    print(0, 10);
    loop_.run_for(1s);
    monitoring_.away = true;
    monitoring_.cut();
    loop_.run_for(60s);
    print(10, 20);
    monitoring_.away = false;
    loop_.run_for(10s);
    EXPECT_EQ(client.lines, numbers(0, 20));
    EXPECT_THAT(client.remarks, ElementsAre("(running)", "(runtime_unavailable)", "(running)"));
}

TEST_F(LogFollow, GoesOnOverAStopAndAStart) {
    auto& client = follow();
    print(0, 10);
    loop_.run_for(1s);
    run(containers_.stop_workspace(user_, workspace_, {}));
    monitoring_.end(instance_);
    loop_.run_for(2s);
    EXPECT_EQ(monitoring_.open, 0) << "nothing more comes from there";
    start();
    monitoring_.ended.clear();
    loop_.run_for(2s);
    print(10, 20);
    loop_.run_for(2s);
    EXPECT_EQ(client.lines, numbers(0, 20));
    EXPECT_THAT(client.remarks, testing::Contains("(running)").Times(2));
    EXPECT_FALSE(client.ended);
    EXPECT_EQ(monitoring_.open, 1);
}

TEST_F(LogFollow, GoesOnWithTheNextInstance) {
    auto& client = follow();
    print(0, 10);
    loop_.run_for(1s);
    const auto former = instance_;
    // While it is replaced it still prints, and the next one does so already.
    run(containers_.restart_workspace(user_, workspace_, {}));
    instance_ = routes_.serving(workspace_);
    ASSERT_NE(instance_, former);
    monitoring_.print(former, "10");
    print(11, 15);
    loop_.run_for(1s);
    monitoring_.end(former);
    loop_.run_for(10s);
    print(15, 20);
    loop_.run_for(1s);
    EXPECT_EQ(client.lines, numbers(0, 20));
    // Who had the last line of the former one gets all of the next.
    const auto last = id_of(monitoring_.logs[former].back(), former.substr(0, kShortId));
    clients_.cancel();
    loop_.run_for(5s);
    auto& late = follow({.after = last, .since_ns = {}});
    loop_.run_for(1s);
    EXPECT_EQ(late.lines, numbers(11, 20));
}

TEST_F(LogFollow, EndsWithTheWorkspace) {
    auto& client = follow();
    print(0, 3);
    loop_.run_for(1s);
    run(containers_.delete_workspace(user_, workspace_, {.force = true}));
    monitoring_.end(instance_);
    loop_.run_for(15s);
    EXPECT_EQ(client.lines, numbers(0, 3));
    EXPECT_EQ(client.remarks.back(), "(deleted)");
    EXPECT_TRUE(client.ended);
    EXPECT_EQ(word_of([&] { follow(); }), "workspace_not_found");
}

TEST_F(LogFollow, EndsAfterTenMinutesAndWithTheServer) {
    auto& first = follow();
    loop_.run_for(11min);
    EXPECT_TRUE(first.ended);
    auto& second = follow();
    loop_.run_for(1s);
    service_.finish();
    loop_.run_for(1s);
    EXPECT_TRUE(second.ended);
    EXPECT_EQ(word_of([&] { follow(); }), "shutting_down");
}

TEST_F(LogFollow, IsNobodyElses) {
    user_ = base::UserId::generate();
    EXPECT_EQ(word_of([&] { follow(); }), "workspace_not_found");
    EXPECT_EQ(monitoring_.follows + monitoring_.reads, 0);
}

TEST_F(LogFollow, WaitsForAnInstanceThatIsNotThereYet) {
    workspace_ = run(workspaces_.create(user_, {.type = "spreadsheet"})).id;
    auto& client = follow();
    loop_.run_for(1s);
    EXPECT_THAT(client.remarks, ElementsAre("(none)"));
    start();
    print(0, 5);
    loop_.run_for(2s);
    EXPECT_EQ(client.lines, numbers(0, 5));
}

TEST_F(LogFollow, ReadsOfAFloodOnlySoMuchASecondAndGoesOnWithTheLatest) {
    auto& client = follow();
    loop_.run_for(1s);
    const std::string kilobyte(1024, 'x');
    for (int i = 0; i < 100'000; ++i)
        monitoring_.print(instance_, kilobyte);
    monitoring_.print(instance_, "last");
    loop_.run_for(1s);
    EXPECT_LT(client.lines.size(), 10'000U);
    EXPECT_GT(client.lines.size(), 3'000U);
    loop_.run_for(10s);
    EXPECT_EQ(client.lines.back(), "last") << "it does not run behind for minutes";
    EXPECT_LT(client.lines.size(), 40'000U);
    EXPECT_THAT(client.remarks, ElementsAre("(running)", "(left out some)"));
    EXPECT_EQ(monitoring_.open, 1);
}

TEST_F(LogFollow, SaysSoWhereTheEngineLosesItsPlace) {
    auto& client = follow();
    loop_.run_for(1s);
    // As engines do that throw a file away while it is being read: what was told comes once more. Where it is
    // read as it is printed, that is no loss.
    const auto repeat = [&](std::size_t count) {
        auto& log = monitoring_.logs[instance_];
        const std::vector<runtime::OutputLine> again(log.end() - static_cast<std::ptrdiff_t>(count),
                                                     log.end());
        for (const auto& line : again)
            monitoring_.print(instance_, line.text, line.at_ns);
    };
    print(0, 10);
    loop_.run_for(100ms);
    repeat(5);
    print(10, 12);
    loop_.run_for(100ms);
    EXPECT_EQ(client.lines, numbers(0, 12));
    EXPECT_THAT(client.remarks, ElementsAre("(running)"));
    const std::string kilobyte(1024, 'x');
    for (int i = 0; i < 12'000; ++i)
        monitoring_.print(instance_, kilobyte);
    repeat(5);
    monitoring_.print(instance_, "last");
    loop_.run_for(10s);
    EXPECT_EQ(client.lines.size(), 12U + 12'000U + 1U);
    EXPECT_THAT(client.remarks, ElementsAre("(running)", "(left out some)"));
}

}  // namespace
}  // namespace agentdb9::services
