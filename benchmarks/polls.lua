-- Polls for wrk: what stands before an id, what after it, and the ids to ask for in turn, as files.

local before, after
local ids = {}
local turn = 0

local function content(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

function init(args)
  before, after = content(args[1]), content(args[2])
  for id in io.lines(args[3]) do
    ids[#ids + 1] = id
  end
end

function request()
  turn = turn % #ids + 1
  return before .. ids[turn] .. after
end
