/** What the page says of a live process or a recording, in English. */
export const liveEn = {
  live: {
    process: 'Process',
    recording: 'Recording',
    help: 'The session is of a run that is not ours to begin: a live PyTorch process, which is stopped at its own modules, or a recording, which is walked along. What is shown was computed there. Detaching, or closing the last page, lets a process go on as if nobody had been there.',
    attachTitle: 'Or attach to a live PyTorch process: cutaway_agent.listen(model) prints address and token',
    address: 'Address of the process, HOST:PORT',
    token: 'token',
    attach: 'Attach',
    again: 'Attach again',
    againHint: 'to the same address with the token that was given before.',
    apart: 'Not attached.',
    phases: { off: 'not attached', opening: 'attaching …', running: 'runs', stopped: 'attached' },
    detach: 'Detach',
    detachHint: 'The process goes on, and no hook is left in it',
    ended: (text: string) => `The process has ended: ${text}. Start it again, and attach again.`,
    missing: 'What is not here, and why',
    missingWhy:
      'Board, prompt, causal tests (layer, patching, circuit, attack), neurons, components, attribution and sampling run a model of ours again and again; a process runs by itself. Record a pass (terminal: record FILE SITES) or open the same weights as a model for them. Stepping back is not possible in live Python: a module that the run is inside of can be run again (↻ in the stack).',
    missingOfRecording:
      'Everything that would run the model: board, causal tests, edits, sampling. Open the model itself for them, or both with cutaway debug MODEL --from-recording FILE.',
    attached: 'attached: set breakpoints, then continue',
    between: 'the process runs, but not in its model',
    tokens: 'Tokens',
    tokensHelp:
      'The sequence that the model is fed, and the likeliest next tokens by the scores of this pass, once the run has come to them.',
    training: 'Training',
    trainingHelp:
      'Loss, learning rate and gradient of each step of the optimiser, noted since the page is attached. The norm of a layer is that of the gradients of its parameters, drawn by orders of magnitude; noise is the variance of the gradient from step to step by its squared mean. The advice goes by rules of thumb.',
    units: { op: 'moment', module: 'module', layer: 'layer', token: 'pass or step' },
    facts: (layers: number, parameters: string) => `${layers} layers · ${parameters} parameters`,
    saysHere: 'What comes next, by the scores of this pass:',
    noWords: 'Nothing yet: the scores are there at the end of a pass.',
    step: 'step',
    loss: 'Loss',
    noLoss: 'The loss is not known: the program can tell it with agent.log(loss=...).',
    rate: 'learning rate',
    noise: 'gradient noise',
    gradNorm: 'Norm of the gradient',
    layerNorms: 'Gradient by layer, last step',
    advice: {
      diverging: 'Diverging:',
      stalled: 'Stalled:',
      frozen: 'Frozen:',
      noisy: 'Noisy:',
      vanishing: 'Vanishing:',
      exploding: 'Exploding:',
    },
    value: 'Value',
    valueHelp:
      'One value of the run: its last two axes as a picture, the distribution of all its numbers, and these summed up. Where nothing is chosen it is what the module gives, or takes, where the run stands. Statistics are computed in the process; of a large value only the pixels leave it.',
    valueName: 'A site, a module, weight:NAME, grad:NAME or =expression',
    noValue: 'There is something to see once the run stands.',
    follow: 'Follow the run',
    followHint: 'Shows what belongs to the place where the run stands',
    show: (name: string) => `Show ${name} as a picture`,
    shape: 'shape',
    range: 'least … greatest',
    pixels: (each: number) =>
      `A pixel is ${each} × ${each} numbers: the one farthest from 0. Pointing tells that one, and where its square begins.`,
    patternsHelp:
      'What each head of a layer looks at: softmax of the scores, a row a query. A model gives it away in eager attention, attn_implementation="eager".',
    patternSite: 'Layer whose attention is shown',
    noPatterns:
      'This run gives no attention pattern. A model of transformers gives it with attn_implementation="eager"; some only where they are called with output_attentions=True.',
    head: (head: number) => `Head ${head}`,
    headNumber: 'head',
    heads: 'Heads of the layer',
    takes: 'what a row takes from each column',
    lens: 'Lens',
    lensHelp:
      'What the model would say if it ended here: the stream at the newest token, through the model’s own last norm and head (nostalgebraist 2020). As far as this pass has come. A reading, not a cause.',
    noLens: 'The pass has not come to the stream yet.',
    word: 'Also follow a token: " Paris", or its id',
    stream: 'stream',
    says: 'it would say',
    change: (module: string) => `Change ${module} …`,
    changes: {
      skip: 'Skip it: it gives what it takes',
      zero: 'What it gives becomes zero',
      half: 'What it gives is halved',
      mean: 'What it gives becomes its mean',
      gradient: 'The gradient of what it gives becomes zero',
    },
    noChanges: 'No changes. They are made in the process, from here on, and undone when they are switched off.',
    runAgain: (module: string) => `Run ${module} again, with what it was given`,
    programHelp:
      'The modules of the process, equal layers folded into one line. Click a number to stop before a module, or right-click it to choose the moment (before, after, in backward) and a condition. F10 steps by what is chosen beside the buttons, F11 goes into modules, Shift+F11 out. A process does not go back.',
    recordingHelp:
      'What was recorded, in the order in which it was computed. Click a number to stop there, or right-click it for a condition. F10 steps by what is chosen beside the buttons; with Ctrl it goes back.',
    noListing: 'The modules are listed once the process is attached.',
    noPoints: 'None. Click a line number, or write a site or a module below.',
    sitesExample: 'blocks.*.attn_out, after h.*.mlp, backward h.0',
  },
};

export type LiveWords = typeof liveEn;
