#include "cli/client/command_tree.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

namespace agentdb9::cli::client {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class CommandTree : public testing::Test {
  protected:
    CommandTree() {
        program_.name("agentdb9");
        auto* fruit = program_.add_subcommand("fruit", "Fruit: it's \\here\n.second line");
        fruit->alias("f");
        fruit->footer("Examples:\n  agentdb9 fruit --colour red");
        fruit->add_option("KIND", kind_, "Which")
            ->required()
            ->type_name("")
            ->check(CLI::IsMember({"apple", "pear"}));
        fruit->add_option("--colour,-c", colour_, "Its colour")
            ->type_name("COLOUR")
            ->check(CLI::IsMember({"red", "green"}));
        fruit->add_option("--basket", basket_, "Where to")->type_name("FILE");
        fruit->add_option("--count", count_, "How many")
            ->type_name("N")
            ->check(CLI::Range(1, 9))
            ->capture_default_str();
        fruit->add_flag("--ripe", ripe_, "Only when ripe");
        fruit->add_flag("--secret", secret_, "Not shown")->group("");
        program_.add_subcommand("hidden", "Not shown")->group("");
    }
    CLI::App program_{"What it is"};
    std::string kind_, colour_, basket_;
    int count_ = 3;
    bool ripe_ = false, secret_ = false;
};

TEST_F(CommandTree, IsWhatTheProgramTakes) {
    const auto tree = read_command_tree(program_);
    ASSERT_EQ(tree.commands.size(), 1U);
    const auto& fruit = tree.commands.front();
    EXPECT_EQ(fruit.name, "fruit");
    EXPECT_THAT(fruit.aliases, ElementsAre("f"));
    ASSERT_EQ(fruit.positionals.size(), 1U);
    EXPECT_EQ(fruit.positionals.front().name, "KIND");
    EXPECT_TRUE(fruit.positionals.front().required);
    EXPECT_THAT(fruit.positionals.front().values, ElementsAre("apple", "pear"));
    std::vector<std::string> names;
    for (const auto& option : fruit.options)
        names.push_back(option.names.front() + " " + option.value);
    EXPECT_THAT(names, ElementsAre("--help ", "--colour COLOUR", "--basket FILE", "--count N", "--ripe "));
    EXPECT_THAT(fruit.options[1].names, ElementsAre("--colour", "-c"));
    EXPECT_THAT(fruit.options[1].values, ElementsAre("red", "green"));
    EXPECT_EQ(fruit.options[3].default_value, "3");
    EXPECT_THAT(fruit.options[3].values, IsEmpty());
}

TEST_F(CommandTree, MakesTheSameTextEachTime) {
    const auto tree = read_command_tree(program_);
    for (auto* make : {&bash_completion, &zsh_completion, &fish_completion, &manual_page})
        EXPECT_EQ(make(tree), make(read_command_tree(program_)));
}

TEST_F(CommandTree, CompletionKnowsNamesValuesAndFilesAndNothingHidden) {
    const auto tree = read_command_tree(program_);
    for (auto* make : {&bash_completion, &zsh_completion, &fish_completion}) {
        const auto text = make(tree);
        EXPECT_THAT(text, AllOf(HasSubstr(":fruit"), HasSubstr(":f"), HasSubstr("fruit:--colour"),
                                HasSubstr("fruit:-c"), HasSubstr("red green"), HasSubstr("apple")));
        EXPECT_THAT(
            text, AllOf(Not(HasSubstr("secret")), Not(HasSubstr("hidden")), Not(HasSubstr("fruit:--ripe"))));
    }
    EXPECT_THAT(bash_completion(tree), HasSubstr("compgen -f"));
    EXPECT_THAT(zsh_completion(tree), HasSubstr("'fruit:Fruit: it'\\''s \\here'"));
    EXPECT_THAT(fish_completion(tree), HasSubstr("-l basket -r -F"));
}

TEST_F(CommandTree, ManualPageTakesNothingForARequest) {
    const auto page = manual_page(read_command_tree(program_));
    EXPECT_THAT(page, HasSubstr("\n.TH AGENTDB9 1 "));
    EXPECT_THAT(page, HasSubstr("it's \\ehere\n\\&.second line"));
    EXPECT_THAT(page, HasSubstr("\\fB\\-\\-colour\\fR, \\fB\\-c\\fR \\fICOLOUR\\fR"));
    EXPECT_THAT(page, HasSubstr(".nf\nagentdb9 fruit \\-\\-colour red\n.fi"));
    EXPECT_THAT(page, HasSubstr("3 unless it is given"));
    EXPECT_THAT(page, AllOf(Not(HasSubstr("secret")), Not(HasSubstr("hidden"))));
}

}  // namespace
}  // namespace agentdb9::cli::client
