;;; scenario.el --- A person debugs a model in Emacs, with dap-mode  -*- lexical-binding: t -*-
;; The configuration is the one that docs/dap.md gives. What a person would see is printed as JSON, a line each.
(package-initialize)
(require 'dap-mode)
(require 'json)

(defvar given (let ((json-object-type 'plist)) (json-read-file (getenv "CUTAWAY_SCENARIO"))))
(setq dap-auto-configure-features nil
      dap-breakpoints-file (concat (plist-get given :home) "/breakpoints")
      lsp-session-file (concat (plist-get given :home) "/session"))
(with-temp-buffer
  (insert (plist-get given :configuration))
  (eval-buffer))

(defun seen (name value)
  (princ (concat (json-encode (list (cons name value))) "\n")))

(defun wait-until (what holds)
  (let ((end (+ (float-time) (plist-get given :patience))))
    (while (and (not (funcall holds)) (< (float-time) end))
      (accept-process-output nil 0.02))
    (unless (funcall holds) (error "Waited in vain: %s" what))))

(defvar stops 0)
(add-hook 'dap-stack-frame-changed-hook (lambda (_) (setq stops (1+ stops))))

(defun stopped (action)
  "Do ACTION, and wait until dap-mode shows where the run stands."
  (let ((before stops))
    (funcall action)
    (wait-until "a stop" (lambda () (> stops before)))))

(defun place ()
  (with-current-buffer (window-buffer)
    (list (cons 'buffer (buffer-name))
          (cons 'text (string-trim (thing-at-point 'line t)))
          (cons 'frames (vconcat (mapcar (lambda (frame) (gethash "name" frame))
                                         (gethash 1 (dap--debug-session-thread-stack-frames (dap--cur-session)))))))))

(defun say (text)
  "What the console of dap-mode answers to TEXT."
  (let (answer)
    (dap--send-message
     (dap--make-request "evaluate" (list :expression text :context "repl"
                                         :frameId (gethash "id" (dap--debug-session-active-frame (dap--cur-session)))))
     (lambda (response) (setq answer (gethash "result" (gethash "body" response))))
     (dap--cur-session))
    (wait-until text (lambda () answer))
    answer))

(stopped (lambda () (dap-debug (copy-tree (cdr (assoc (plist-get given :template) dap-debug-template-configurations))))))
(seen 'entry (place))
(with-current-buffer (window-buffer)
  (goto-char (point-min))
  (search-forward (plist-get given :line))
  (beginning-of-line)
  (dap-breakpoint-add)
  (cl-letf (((symbol-function 'read-string) (lambda (&rest _) (plist-get given :condition))))
    (dap-breakpoint-condition buffer-file-name (car (gethash buffer-file-name (dap--get-breakpoints))))))
(stopped (lambda () (dap-continue (dap--cur-session) 1)))
(seen 'stop (place))
(stopped (lambda () (dap-step-in (dap--cur-session))))
(seen 'stepped (place))
(stopped (lambda () (say "back")))
(seen 'back (place))
(seen 'said (say (plist-get given :edit)))
(dap-continue (dap--cur-session) 1)
(wait-until "the end" (lambda () (eq 'terminated (dap--debug-session-state (dap--cur-session)))))
(seen 'output (with-current-buffer (dap--debug-session-output-buffer (dap--cur-session))
                (buffer-string)))
