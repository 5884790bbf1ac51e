#include "api/command_body.hpp"

#include <algorithm>

#include "base/crypto.hpp"

namespace agentdb9::api {
namespace {

constexpr std::string_view kProject = "/workspace";
// The kernel's limit of one argument, or of one "NAME=VALUE", is 128 KiB (execve(2), MAX_ARG_STRLEN).
constexpr std::size_t kLongestText = 120'000;
constexpr std::size_t kMostArguments = 1'000;
constexpr std::size_t kMostVariables = 200;
constexpr std::size_t kLongestName = 200;
constexpr std::size_t kLongestPath = 4'095;

constexpr std::string_view kCommandForm =
    "must be text, which a shell reads, or a list of 1 to 1000 texts, the program and its arguments";

bool fits(std::string_view text) {
    return text.size() <= kLongestText && !text.contains('\0');
}

std::string fits_text() {
    return "must have at most " + std::to_string(kLongestText) + " bytes, none of them NUL";
}

bool is_variable_name(std::string_view name) {
    const auto letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; };
    return !name.empty() && name.size() <= kLongestName && letter(name.front()) &&
           std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

std::vector<std::string> read_words(Body& body) {
    const auto* value = body.raw("command");
    if (value == nullptr) {
        body.problem("command", "is required");
        return {};
    }
    if (value->is_string()) {
        const std::string_view line = value->get_string();
        if (line.empty()) body.problem("command", "must not be empty");
        if (!fits(line)) body.problem("command", fits_text());
        return {"/bin/sh", "-c", std::string(line)};
    }
    std::vector<std::string> words;
    if (!value->is_array() || value->get_array().empty() || value->get_array().size() > kMostArguments) {
        body.problem("command", kCommandForm);
        return words;
    }
    for (const auto& each : value->get_array()) {
        if (!each.is_string()) {
            body.problem("command", kCommandForm);
            return words;
        }
        words.emplace_back(each.get_string());
        if (!fits(words.back())) {
            body.problem("command", fits_text());
            return words;
        }
    }
    if (words.front().empty()) body.problem("command", "must begin with the name of a program");
    return words;
}

std::vector<std::pair<std::string, std::string>> read_variables(Body& body) {
    std::vector<std::pair<std::string, std::string>> all;
    const auto* value = body.raw("env");
    if (value == nullptr) return all;
    if (!value->is_object() || value->get_object().size() > kMostVariables) {
        body.problem("env",
                     "must be an object of at most " + std::to_string(kMostVariables) + " texts by name");
        return all;
    }
    for (const auto& [name, text] : value->get_object()) {
        if (!is_variable_name(name)) {
            body.problem("env", "must have names of letters, digits and '_' that begin with no digit");
            return all;
        }
        if (!text.is_string() || !fits(text.get_string())) {
            body.problem("env." + std::string(name),
                         text.is_string() ? fits_text() : std::string("must be text"));
            return all;
        }
        all.emplace_back(name, text.get_string());
    }
    return all;
}

std::optional<std::string> read_text(Body& body, std::string_view field) {
    const auto* value = body.raw(field);
    if (value == nullptr) return std::nullopt;
    if (!value->is_string()) {
        body.problem(field, "must be text");
        return std::nullopt;
    }
    return std::string(value->get_string());
}

std::optional<std::string> read_input(Body& body) {
    auto text = read_text(body, "stdin");
    const auto encoded = read_text(body, "stdinBase64");
    if (!encoded) return text;
    if (text) body.problem("stdinBase64", "must not be given beside stdin");
    auto decoded = base::base64_decode(*encoded);
    if (!decoded) body.problem("stdinBase64", "must be base64, with padding and without line ends");
    return decoded;
}

}  // namespace

std::optional<std::string> command_directory(std::string_view text) {
    if (text.empty() || text.size() > kLongestPath || text.contains('\0')) return std::nullopt;
    if (text.starts_with('/')) return std::string(text);
    return std::string(kProject) + "/" + std::string(text);
}

CommandBody read_command(Body& body, const services::ExecutionLimits& limits) {
    CommandBody result;
    auto& request = result.request;
    request.spec.command = read_words(body);
    request.spec.environment = read_variables(body);
    request.spec.directory = kProject;
    if (const auto text = read_text(body, "cwd")) {
        if (auto directory = command_directory(*text))
            request.spec.directory = std::move(*directory);
        else
            body.problem("cwd", "must be a path of 1 to " + std::to_string(kLongestPath) + " bytes");
    }
    const auto longest = std::chrono::duration_cast<std::chrono::seconds>(limits.longest_time).count();
    const auto seconds = body.optional_integer("timeoutSeconds", 1, longest);
    request.time_limit =
        seconds ? std::chrono::seconds(*seconds) : std::min(limits.default_time, limits.longest_time);
    auto input = read_input(body);
    request.spec.input = input.has_value();
    request.input = std::move(input).value_or(std::string());
    if (const auto encoding = read_text(body, "encoding")) {
        if (*encoding != "utf-8" && *encoding != "base64")
            body.problem("encoding", "must be utf-8 or base64");
        result.encoding = *encoding == "base64" ? CommandEncoding::kBase64 : CommandEncoding::kText;
    }
    body.finish();
    return result;
}

}  // namespace agentdb9::api
