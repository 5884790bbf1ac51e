// Processes in containers that a test plays.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "runtime/execution.hpp"

namespace agentdb9::services {

using runtime::Execution;

// What a test plays of one process.
struct Process {
    explicit Process(const asio::any_io_executor& executor) : changed(executor) {}

    void print(std::string text) {
        output.push_back(std::move(text));
        changed.notify_all();
    }
    void exit(std::optional<int> how) {
        code = how;
        over = true;
        changed.notify_all();
    }
    void read_on() {
        reads = true;
        changed.notify_all();
    }

    base::Signal changed;
    runtime::CommandSpec spec;
    std::deque<std::string> output;
    std::string input;
    bool input_ended = false;
    bool reads = true;
    std::optional<int> code;
    bool over = false;
    bool broken = false;
    std::vector<Execution::Force> signals;
    std::function<void(Process&, Execution::Force)> on_signal;
    bool held = false;  // somebody has its Execution
};

class PlayedExecution final : public Execution {
  public:
    explicit PlayedExecution(std::shared_ptr<Process> process) : process_(std::move(process)) {
        process_->held = true;
    }
    ~PlayedExecution() override { process_->held = false; }

    Task<Piece> read(std::span<char> room) override {
        auto& p = *process_;
        while (p.output.empty() && !p.over && !p.broken)
            co_await p.changed.wait();
        if (p.broken)
            throw base::Error(base::ErrorCode::kUnavailable, "runtime_unavailable", "It broke off.");
        if (p.output.empty()) co_return Piece{};
        auto& text = p.output.front();
        const auto size = std::min(room.size(), text.size());
        text.copy(room.data(), size);
        text.erase(0, size);
        if (text.empty()) p.output.pop_front();
        co_return Piece{runtime::OutputStream::kStdout, size};
    }
    Task<> write(std::span<const char> bytes) override {
        while (!process_->reads)
            co_await process_->changed.wait();
        process_->input.append(bytes.data(), bytes.size());
    }
    void end_input() override { process_->input_ended = true; }
    Task<std::optional<int>> exit_code() override {
        if (!process_->over)
            throw base::Error(base::ErrorCode::kUnavailable, "runtime_unavailable", "It goes on.");
        co_return process_->code;
    }
    Task<> resize(runtime::TerminalSize) override { co_return; }
    Task<> end(Force force) override {
        process_->signals.push_back(force);
        if (process_->on_signal) process_->on_signal(*process_, force);
        co_return;
    }

  private:
    std::shared_ptr<Process> process_;
};

class Stage final : public runtime::Executions {
  public:
    explicit Stage(asio::any_io_executor executor) : executor_(std::move(executor)), let_(executor_) {}

    Task<std::unique_ptr<Execution>> execute(std::string instance, runtime::CommandSpec spec) override {
        instances.push_back(std::move(instance));
        auto process = std::make_shared<Process>(executor_);
        process->spec = std::move(spec);
        process->on_signal = on_signal;
        processes.push_back(process);
        while (slow)
            co_await let_.wait();
        if (!refusal.empty()) throw base::conflict(refusal, "It is refused.");
        co_return std::make_unique<PlayedExecution>(process);
    }
    void let_on() {
        slow = false;
        let_.notify_all();
    }

    std::vector<std::string> instances;
    std::vector<std::shared_ptr<Process>> processes;
    std::function<void(Process&, Execution::Force)> on_signal;
    std::string refusal;
    bool slow = false;

  private:
    asio::any_io_executor executor_;
    base::Signal let_;
};

}  // namespace agentdb9::services
