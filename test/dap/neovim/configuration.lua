--- The configuration that docs/dap.md gives, as it is; only the command is the one under test.
package.path = vim.fn.fnamemodify(debug.getinfo(1, 'S').source:sub(2), ':p:h') .. '/?.lua;' .. package.path
local dap = require('dap')
local editor = require('driver')
local given = editor.given

assert(loadstring(given.configuration))()
dap.adapters.cutaway = vim.tbl_extend('force', dap.adapters.cutaway, editor.adapter())

editor.run(function()
  vim.bo.filetype = 'text'
  editor.stopped(dap.continue)
  editor.seen('entry', editor.place())
  editor.ended(dap.terminate)
end)
