// Users take turns in the queue, and each is told where it stands.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "services/admission_queue.hpp"
#include "support/simulation/loop.hpp"
#include "support/simulation/random.hpp"

namespace agentdb9::services {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class Turns : public testing::Test {
  protected:
    explicit Turns(std::size_t limit = 1) : queue_(loop_.executor(), limit) {}
    ~Turns() override { loop_.run(scope_.close()); }

    static Task<> visit(Turns& test, AdmissionQueue::Visitor visitor, base::Duration time) {
        const auto name = visitor.name;
        test.waiting_.insert(name);
        auto place = co_await test.queue_.enter(std::move(visitor));
        test.waiting_.erase(name);
        test.entered_.push_back(name);
        test.came_in(name);
        co_await test.loop_.clock().sleep_for(time);
    }
    void come(const std::string& name, base::Duration time = 10ms, std::uint64_t ticket = 0) {
        scope_.spawn("visit",
                     visit(*this, {.whose = name.substr(0, 1), .name = name, .ticket = ticket}, time));
        loop_.run_ready();
    }
    std::size_t position(const std::string& name) {
        const auto place = queue_.position(name);
        return place ? place->position : 0;
    }

    virtual void came_in(const std::string&) {}

    test::SimulatedLoop loop_;
    AdmissionQueue queue_;
    std::set<std::string> waiting_;
    std::vector<std::string> entered_;
    base::Scope scope_{loop_.executor()};
};

TEST_F(Turns, NobodyWaitsBehindAnothersHundred) {
    for (const auto* name : {"a1", "a2", "a3", "a4", "b1", "b2", "c1"})
        come(name);
    EXPECT_EQ(position("a2"), 3U);
    EXPECT_EQ(position("b1"), 1U);
    EXPECT_EQ(position("c1"), 2U);
    EXPECT_EQ(queue_.position("c1")->of, 6U);
    EXPECT_EQ(position("a1"), 0U) << "it is inside";
    loop_.run_for(1s);
    EXPECT_THAT(entered_, ElementsAre("a1", "b1", "c1", "a2", "b2", "a3", "a4"));
}

TEST_F(Turns, WhoHadATurnComesAfterWhoHadNone) {
    for (const auto* name : {"a1", "b1", "a2"})
        come(name);
    loop_.run_for(10ms);
    // b has just begun, and comes once more: a waits longer.
    come("b2");
    come("c1");
    loop_.run_for(1s);
    EXPECT_THAT(entered_, ElementsAre("a1", "b1", "c1", "a2", "b2"));
}

TEST_F(Turns, WhoComesBackWithItsTicketStandsWhereItStood) {
    come("a1");
    const auto ticket = queue_.next_ticket();
    come("a3");
    come("a2", 10ms, ticket);
    EXPECT_EQ(position("a2"), 1U);
    loop_.run_for(1s);
    EXPECT_THAT(entered_, ElementsAre("a1", "a2", "a3"));
}

TEST_F(Turns, EachThatStillWaitsIsToldWhenTheLineMoves) {
    std::multiset<std::string> told;
    queue_.on_moved([&](const std::string& name) { told.insert(name); });
    come("a1");
    EXPECT_TRUE(told.empty()) << "it did not have to wait";
    come("b1");
    come("b2");
    EXPECT_THAT(told, ElementsAre("b1", "b1", "b2"));
    told.clear();
    loop_.run_for(10ms);
    EXPECT_THAT(told, ElementsAre("b2"));
}

class OneSchedule : public Turns {
  public:
    OneSchedule(std::uint64_t seed, std::size_t limit) : Turns(limit), random_(seed) {}
    void TestBody() override {}

    // Each user's own come in their order; all come in; who is told to be the next one is.
    void run() {
        std::map<std::string, int> made;
        for (int step = 0; step < 60; ++step) {
            if (random_.chance(0.6)) {
                const auto user =
                    std::string(1, static_cast<char>('a' + static_cast<char>(random_.below(4))));
                come(user + std::to_string(1000 + ++made[user]),
                     random_.between(base::Duration(1), base::Duration(40)));
            }
            const auto first =
                std::ranges::find_if(waiting_, [&](const std::string& name) { return position(name) == 1; });
            const auto next = first == waiting_.end() ? std::string() : *first;
            const auto before = entered_.size();
            loop_.run_for(random_.between(base::Duration(0), base::Duration(15)));
            if (entered_.size() > before && !next.empty()) EXPECT_EQ(entered_[before], next);
        }
        loop_.run_for(10s);
        EXPECT_EQ(queue_.inside(), 0U);
        EXPECT_THAT(waiting_, testing::IsEmpty());
        std::map<std::string, std::string> last;
        for (const auto& name : entered_) {
            EXPECT_LT(last[name.substr(0, 1)], name) << "out of its own order";
            last[name.substr(0, 1)] = name;
        }
        for (const auto& [user, count] : made)
            EXPECT_EQ(last[user], user + std::to_string(1000 + count));
    }

  private:
    // Nobody comes in twice while one who waits all that time does not come in at all.
    void came_in(const std::string& name) override {
        const auto user = name.substr(0, 1);
        std::set<std::string> waiting;
        for (const auto& each : waiting_)
            waiting.insert(each.substr(0, 1));
        std::erase_if(passed_,
                      [&](const auto& each) { return each.first == user || !waiting.contains(each.first); });
        for (const auto& other : waiting) {
            if (other != user)
                EXPECT_LE(++passed_[other][user], 1) << user << " came in twice before " << other;
        }
    }

    std::map<std::string, std::map<std::string, int>> passed_;  // by who waits: how often others came in
    test::Random random_;
};

TEST(TurnsProperties, AreFairWhateverComes) {
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        OneSchedule schedule(seed, 1 + seed % 3);
        schedule.run();
        if (testing::Test::HasFailure()) break;
    }
}

}  // namespace
}  // namespace agentdb9::services
