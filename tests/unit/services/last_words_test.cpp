// What an application that ends at its start said last is told, whatever bytes it printed.
#include <gmock/gmock.h>

#include "base/utf8.hpp"
#include "unit/services/workspace_fixture.hpp"

namespace agentdb9::services {
namespace {

// Its applications print something and end.
class DyingRuntime : public test::SimulatedRuntime {
  public:
    DyingRuntime(test::SimulatedEngine& engine, test::SimulatedClock& clock, test::Random& random,
                 test::RuntimeFaults& faults)
        : SimulatedRuntime(engine, clock, random, base::InstallationId::generate(), faults),
          engine_(engine) {}
    Task<> start_instance(std::string id) override {
        co_await SimulatedRuntime::start_instance(id);
        engine_.die(id, false);
    }
    Task<std::string> last_output(std::string, int) override { co_return output; }
    std::string output;

  private:
    test::SimulatedEngine& engine_;
};

class LastWords : public WorkspaceOn<DyingRuntime> {
  protected:
    std::string error_of_start() {
        EXPECT_EQ(word_of([&] { run(containers_.start_workspace(user_, workspace_, {})); }),
                  "application_ended");
        return read(
                   [id = workspace_](store::Transaction& tx) { return tx.operations().latest_of(id)->error; })
            .value_or("");
    }
};

TEST_F(LastWords, AreTold) {
    runtime_.output = "no such file: /workspace/main\n\n";
    EXPECT_THAT(error_of_start(), testing::EndsWith("Its last words: no such file: /workspace/main"));
}

TEST_F(LastWords, AreTextWhateverTheyWere) {
    runtime_.output = "caf\xE9 \xFF" + std::string(1, '\0') + "!";
    EXPECT_THAT(error_of_start(), testing::EndsWith("caf\xEF\xBF\xBD \xEF\xBF\xBD\xEF\xBF\xBD!"));
}

TEST_F(LastWords, AreNotCutInTheMidstOfACharacter) {
    for (int i = 0; i < 400; ++i)
        runtime_.output += "\xE2\x94\x80";
    runtime_.output += "abc";
    const auto error = error_of_start();
    EXPECT_EQ(error, base::as_valid_utf8(error));
    EXPECT_EQ(error.find("\xEF\xBF\xBD"), error.npos) << "nothing had to be replaced";
    EXPECT_THAT(error, testing::EndsWith("\xE2\x94\x80\x61\x62\x63"));
}

}  // namespace
}  // namespace agentdb9::services
