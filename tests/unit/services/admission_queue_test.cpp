#include "services/admission_queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/simulation/loop.hpp"

namespace agentdb9::services {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class AdmissionQueueTest : public testing::Test {
  protected:
    // Enters, stays for `time`, and leaves.
    static Task<> visit(AdmissionQueueTest& test, int who, base::Duration time) {
        auto place = co_await test.queue_.enter();
        test.entered_.push_back(who);
        co_await test.loop_.clock().sleep_for(time);
    }
    ~AdmissionQueueTest() override { loop_.run(scope_.close()); }

    test::SimulatedLoop loop_;
    AdmissionQueue queue_{loop_.executor(), 2};
    std::vector<int> entered_;
    base::Scope scope_{loop_.executor()};
};

TEST_F(AdmissionQueueTest, LetsAsManyInAsItMayAndTheOthersInTheOrderInWhichTheyCame) {
    for (int who = 1; who <= 6; ++who)
        scope_.spawn("visit", visit(*this, who, who == 1 ? 10ms : 30ms));
    loop_.run_ready();
    EXPECT_THAT(entered_, ElementsAre(1, 2));
    EXPECT_EQ(queue_.inside(), 2U);
    EXPECT_EQ(queue_.waiting(), 4U);
    loop_.run_for(10ms);
    EXPECT_THAT(entered_, ElementsAre(1, 2, 3));
    loop_.run_for(200ms);
    EXPECT_THAT(entered_, ElementsAre(1, 2, 3, 4, 5, 6));
    EXPECT_EQ(queue_.inside(), 0U);
}

TEST_F(AdmissionQueueTest, AFreedPlaceGoesToWhoWaitsNotToWhoComesJustThen) {
    scope_.spawn("one", visit(*this, 1, 10ms));
    scope_.spawn("two", visit(*this, 2, 100ms));
    scope_.spawn("waits", visit(*this, 3, 10ms));
    loop_.run_until([&] { return queue_.inside() == 2 && queue_.waiting() == 0; }, 50ms);
    scope_.spawn("comes just then", visit(*this, 4, 10ms));
    loop_.run_for(200ms);
    EXPECT_THAT(entered_, ElementsAre(1, 2, 3, 4));
}

TEST_F(AdmissionQueueTest, WhoIsCancelledLeavesTheLine) {
    base::Scope other(loop_.executor());
    scope_.spawn("one", visit(*this, 1, 10ms));
    scope_.spawn("two", visit(*this, 2, 10ms));
    other.spawn("gives up", visit(*this, 3, 10ms));
    scope_.spawn("four", visit(*this, 4, 10ms));
    loop_.run_ready();
    EXPECT_EQ(queue_.waiting(), 2U);
    loop_.run(other.close());
    EXPECT_EQ(queue_.waiting(), 1U);
    loop_.run_for(100ms);
    EXPECT_THAT(entered_, ElementsAre(1, 2, 4));
    EXPECT_EQ(queue_.inside(), 0U);
}

TEST_F(AdmissionQueueTest, APlaceGivenToOneWhoIsCancelledInThatMomentIsNotLost) {
    base::Scope other(loop_.executor());
    auto first = std::make_unique<AdmissionQueue::Place>(loop_.run(queue_.enter()));
    auto second = loop_.run(queue_.enter());
    other.spawn("gives up", visit(*this, 3, 10ms));
    loop_.run_ready();
    other.cancel();  // it is on its way out …
    first.reset();   // … when the place is handed over to it
    loop_.run(other.close());
    EXPECT_THAT(entered_, ElementsAre());
    EXPECT_EQ(queue_.inside(), 1U);
    second.release();
    EXPECT_EQ(queue_.inside(), 0U);
}

TEST_F(AdmissionQueueTest, APlaceIsReleasedOnceHoweverItIsMoved) {
    auto place = loop_.run(queue_.enter());
    EXPECT_TRUE(place);
    AdmissionQueue::Place moved(std::move(place));
    place = loop_.run(queue_.enter());
    EXPECT_EQ(queue_.inside(), 2U);
    place = std::move(moved);
    EXPECT_EQ(queue_.inside(), 1U);
    place.release();
    place.release();
    EXPECT_EQ(queue_.inside(), 0U);
}

}  // namespace
}  // namespace agentdb9::services
