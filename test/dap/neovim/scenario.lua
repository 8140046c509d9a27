--- A person debugs a model in neovim, with nvim-dap: what is asked for below is what its commands and keys do.
package.path = vim.fn.fnamemodify(debug.getinfo(1, 'S').source:sub(2), ':p:h') .. '/?.lua;' .. package.path
local dap = require('dap')
local editor = require('driver')
local given = editor.given

dap.adapters.cutaway = editor.adapter()

local function launch(more)
  local configuration = { type = 'cutaway', request = 'launch', name = 'the model' }
  return vim.tbl_extend('error', configuration, given.launch, more)
end

--- Stops, reads, steps, steps back, changes a value, goes on.
local function change()
  editor.stopped(function()
    dap.run(launch({ stopOnEntry = true }))
  end)
  editor.seen('entry', editor.place())
  editor.cursor_to(given.line)
  editor.answered(function()
    dap.set_breakpoint(given.condition)
  end)
  editor.stopped(dap.continue)
  editor.seen('stop', editor.place())

  local scopes = editor.scopes()
  scopes.open(given.tensor)
  scopes.open('[2]: ')
  scopes.open('[0]: ')
  editor.seen('scopes', scopes.lines())
  scopes.close()
  editor.seen('before', editor.say(given.watch))

  editor.stopped(dap.step_into)
  editor.seen('stepped', editor.place())
  editor.stopped(function()
    dap.step_back({ granularity = 'instruction' })
  end)
  editor.seen('back', editor.place())
  editor.seen('again', editor.say(given.watch))

  scopes = editor.scopes()
  scopes.act(given.changed .. ': ', 'Set expression', given.value)
  scopes.close()
  editor.seen('edits', editor.say('edits'))
  editor.ended(dap.continue)
  editor.seen('changed', editor.printed())
end

--- The same again: the breakpoint is still in the listing, and nothing is changed.
local function again()
  editor.stopped(function()
    dap.run(launch({}))
  end)
  editor.seen('same stop', editor.place())
  editor.ended(dap.continue)
  editor.seen('unchanged', editor.printed())
end

--- The rest of its commands: a log point, a filter, frames, going back, to the cursor, elsewhere, and from the start.
local function roam()
  editor.stopped(function()
    dap.run(launch({ stopOnEntry = true }))
  end)
  editor.answered(function()
    dap.set_exception_breakpoints({ 'nan' })
  end)
  editor.cursor_to(given.changed:gsub('^blocks%.%d+%.', '') .. ' = ')
  editor.answered(function()
    dap.set_breakpoint(nil, nil, given.log)
  end)
  editor.stopped(dap.continue)
  editor.stopped(dap.step_over)
  editor.stopped(dap.step_out)
  editor.seen('out', editor.place())
  for _ = 1, 3 do
    editor.answered(dap.up)
  end
  editor.seen('transcript', vim.fn.getline('.'))
  for _ = 1, 3 do
    editor.answered(dap.down)
  end
  editor.stopped(dap.reverse_continue)
  editor.seen('reversed', editor.place())
  editor.cursor_to('resid_post = ')
  editor.stopped(dap.run_to_cursor)
  editor.seen('cursor', editor.place())
  editor.seen('logged', editor.printed().console)
  editor.answered(function()
    require('dap.ui.widgets').hover(given.hover)
  end)
  editor.seen('hover', vim.api.nvim_buf_get_lines(0, 0, 1, false)[1])
  vim.cmd('close')
  editor.cursor_to(given.line)
  editor.stopped(function()
    table.insert(editor.typed, 'blocks.0')
    dap.goto_()
  end)
  editor.seen('elsewhere', editor.place())
  editor.stopped(function()
    table.insert(editor.typed, 'blocks.0')
    dap.restart_frame()
  end)
  editor.seen('layer anew', editor.place())
  editor.stopped(dap.restart)
  editor.seen('anew', editor.place())
  editor.ended(dap.terminate)
end

--- Numbers that are none: it stops where they arise, and the editor shows why.
local function fail()
  dap.clear_breakpoints()
  dap.defaults.cutaway.exception_breakpoints = { 'nan' }
  editor.stopped(function()
    dap.run(launch({ edits = given.spoil }))
  end)
  editor.seen('failed', editor.place())
  editor.seen('why', vim.diagnostic.get(0)[1].message)
  editor.ended(dap.disconnect)
end

editor.run(function()
  change()
  again()
  roam()
  fail()
end)
