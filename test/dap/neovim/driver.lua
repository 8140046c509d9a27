--- What a scenario needs to use nvim-dap as a person would, and to record what passes between it and the adapter.
--- The record is a file of JSON lines: {"sent": message}, {"received": message}, {"seen": name, "value": what}.
local dap = require('dap')
local rpc = require('dap.rpc')

local M = {}

M.given = vim.json.decode(table.concat(vim.fn.readfile(vim.env.CUTAWAY_SCENARIO), '\n'))
local record = assert(io.open(M.given.record, 'w'))

local function write(line)
  record:write(line, '\n')
  record:flush()
end

--- Notes what a person would see at this point.
function M.seen(name, value)
  write(vim.json.encode({ seen = name, value = value }))
end

-- The text of each message goes to the record as it goes over the wire.
local frame_of = rpc.msg_with_content_length
rpc.msg_with_content_length = function(text)
  write('{"sent":' .. text .. '}')
  return frame_of(text)
end
local read_loop = rpc.create_read_loop
rpc.create_read_loop = function(handle, on_end)
  return read_loop(function(text)
    write('{"received":' .. text .. '}')
    handle(text)
  end, on_end)
end

--- The adapter under test, with more patience than nvim-dap has by itself: a busy machine is no mistake.
function M.adapter()
  local seconds = M.given.patience / 1000
  local options = { initialize_timeout_sec = seconds, disconnect_timeout_sec = seconds }
  return { type = 'executable', command = M.given.command, args = M.given.args, options = options }
end

M.warnings = {}
vim.notify = function(text, level)
  if (level or vim.log.levels.INFO) >= vim.log.levels.WARN then table.insert(M.warnings, text) end
end

M.typed = {}
local function answer()
  return assert(table.remove(M.typed, 1), 'a question that the scenario does not expect')
end
--- What is asked for is answered from `typed`, in order; of a list the first item that has the text.
vim.fn.input = answer
vim.ui.select = function(items, options, choose)
  local text = answer()
  for i, item in ipairs(items) do
    if options.format_item(item):find(text, 1, true) then return choose(item, i) end
  end
  error('no choice has ' .. text)
end

--- With what status each adapter has ended.
M.statuses = {}
local spawn = vim.loop.spawn
vim.loop.spawn = function(command, options, on_exit)
  return spawn(command, options, function(status, ...)
    table.insert(M.statuses, status)
    on_exit(status, ...)
  end)
end

local stdout = {}
local console = {}
dap.listeners.before.event_output.scenario = function(_, body)
  table.insert(body.category == 'stdout' and stdout or console, body.output)
end

--- What the run has printed since this was last asked.
function M.printed()
  local texts = { stdout = table.concat(stdout), console = table.concat(console) }
  stdout, console = {}, {}
  return texts
end

local function wait(what, holds)
  assert(vim.wait(M.given.patience, holds, 5), 'waited in vain: ' .. what .. '\n' .. table.concat(M.warnings, '\n'))
end

--- Whether every answer has come, and has been dealt with.
local function quiet()
  local session = dap.session()
  return session and next(session.message_callbacks) == nil
end

local function has_scopes(frame)
  if not frame or not frame.scopes then return false end
  for _, scope in ipairs(frame.scopes) do
    if not scope.expensive and not scope.variables then return false end
  end
  return true
end

--- Does something, and waits until the adapter has answered it.
function M.answered(action)
  action()
  wait('an answer', quiet)
end

--- Does something that makes the run move, and waits until nvim-dap shows where it stands now.
function M.stopped(action)
  local before = dap.session() and dap.session().current_frame
  action()
  wait('a stop', function()
    local session = dap.session()
    local frame = session and session.stopped_thread_id and session.current_frame
    return frame and frame ~= before and has_scopes(frame) and quiet()
  end)
end

--- Does something that makes the run end, and waits until the adapter is gone.
function M.ended(action)
  local adapters = #M.statuses
  action()
  wait('the end', function()
    return dap.session() == nil and #M.statuses > adapters
  end)
end

--- Lines of the shown buffer that have a breakpoint, and whether the adapter took it.
function M.breakpoints()
  local buffer = vim.api.nvim_get_current_buf()
  return vim.tbl_map(function(breakpoint)
    return { line = breakpoint.line, verified = (breakpoint.state or {}).verified or false }
  end, require('dap.breakpoints').get(buffer)[buffer] or {})
end

--- The buffer and line that the cursor is in, and the frames.
function M.place()
  local session = dap.session()
  local thread = session.threads[session.stopped_thread_id]
  local line = vim.api.nvim_win_get_cursor(0)[1]
  return {
    buffer = vim.fn.fnamemodify(vim.api.nvim_buf_get_name(0), ':t'),
    kind = vim.bo.buftype,
    line = line,
    text = vim.fn.getline(line),
    frames = vim.tbl_map(function(frame)
      return frame.name
    end, thread.frames),
    breakpoints = M.breakpoints(),
  }
end

--- Puts the cursor on the next line that has a text.
local function cursor_on_to(text)
  assert(vim.fn.search('\\V' .. text, 'cW') > 0, 'no line has ' .. text)
end

--- Puts the cursor on the first line that has a text.
function M.cursor_to(text)
  vim.fn.cursor(1, 1)
  cursor_on_to(text)
end

--- Types a line into the console of nvim-dap, and gives what is printed below it.
function M.say(text)
  local repl = require('dap.repl')
  local answer
  dap.listeners.after.evaluate.scenario = function(_, err, body)
    answer = err and tostring(err) or body.result
    return true
  end
  repl.execute(text)
  wait('an answer to ' .. text, function()
    return answer ~= nil and quiet()
  end)
  return answer
end

--- The window of scopes, in which lines can be opened and acted upon.
function M.scopes()
  local widgets = require('dap.ui.widgets')
  local ui = require('dap.ui')
  local view = widgets.centered_float(widgets.scopes)
  wait('the scopes', quiet)
  local self = {}
  local function at(text, then_)
    vim.api.nvim_set_current_win(view.win)
    cursor_on_to(text)
    M.answered(then_)
  end
  --- Opens what the next line with a text stands for.
  function self.open(text)
    at(text, function()
      ui.trigger_actions({ mode = 'first' })
    end)
  end
  --- Chooses an action of a line by its name, and answers what it asks.
  function self.act(text, action, typed)
    table.insert(M.typed, typed)
    at(text, function()
      ui.trigger_actions({ filter = action })
    end)
  end
  function self.lines()
    return vim.api.nvim_buf_get_lines(view.buf, 0, -1, false)
  end
  function self.close()
    if view.win and vim.api.nvim_win_is_valid(view.win) then view.close() end
  end
  return self
end

--- Runs a scenario and leaves the editor: with status 0, or 1 and the error in the record.
function M.run(scenario)
  local ok, err = xpcall(scenario, debug.traceback)
  M.seen('warnings', M.warnings)
  M.seen('statuses', M.statuses)
  if not ok then M.seen('error', tostring(err)) end
  record:close()
  vim.cmd(ok and 'qall!' or 'cquit! 1')
end

return M
