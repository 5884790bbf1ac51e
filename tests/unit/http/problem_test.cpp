#include "http/problem.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.hpp"

namespace agentdb9::http {
namespace {

using testing::HasSubstr;
using testing::Not;

const base::Time kNow = base::from_unix_ms(1'700'000'000'123);

TEST(Problem, HasTheFieldsOfTheContract) {
    Problem problem{400, "invalid_field", "The name is too long.", {{"name", "is too long"}}};
    auto body = boost::json::parse(problem_json(problem, {"id-1", "POST", "/api/x", kNow})).as_object();
    EXPECT_EQ(body.at("success").as_bool(), false);
    EXPECT_EQ(body.at("error").as_string(), "The name is too long.");
    EXPECT_EQ(body.at("message").as_string(), "The name is too long.");
    EXPECT_EQ(body.at("code").as_string(), "invalid_field");
    EXPECT_EQ(body.at("statusCode").as_int64(), 400);
    EXPECT_EQ(body.at("requestId").as_string(), "id-1");
    EXPECT_EQ(body.at("timestamp").as_string(), "2023-11-14T22:13:20.123Z");
    EXPECT_EQ(body.at("path").as_string(), "/api/x");
    EXPECT_EQ(body.at("method").as_string(), "POST");
    EXPECT_EQ(body.at("details").as_array().at(0).as_object().at("field").as_string(), "name");
}

TEST(Problem, DetailsAreAbsentWithoutAny) {
    auto body = boost::json::parse(problem_json({404, "x", "y", {}}, {"", "", "", kNow})).as_object();
    EXPECT_FALSE(body.contains("details"));
}

TEST(Problem, BytesThatAreNotTextAreNotEchoed) {
    auto text = problem_json({400, "x", "y", {}}, {"", "G\xff", "/\xc3\x28\x01\"\\", kNow});
    auto body = boost::json::parse(text).as_object();
    EXPECT_EQ(body.at("path").as_string(), "/?\x28?\"\\");
    EXPECT_EQ(body.at("method").as_string(), "G?");
}

TEST(Problem, ThePageEscapesWhatItEchoes) {
    auto page = problem_html({404, "not_found", "No <b> here & there.", {}},
                             {"\"'", "GET", "/<script>x</script>", kNow});
    EXPECT_THAT(page, Not(HasSubstr("<script>")));
    EXPECT_THAT(page, Not(HasSubstr("<b>")));
    EXPECT_THAT(page, HasSubstr("&lt;script&gt;"));
    EXPECT_THAT(page, HasSubstr("No &lt;b&gt; here &amp; there."));
    EXPECT_THAT(page, HasSubstr("&quot;&#39;"));
    EXPECT_THAT(page, HasSubstr("404"));
}

}  // namespace
}  // namespace agentdb9::http
