{{/* CEL expressions about a pod at CREATE. Written without optional types, which Kubernetes 1.28 does not know; and
     guarded, because an error in a condition would refuse or touch pods that do not ask. */}}

{{/* The value of an annotation or label of the pod is one of those given.
     Call with (dict "key" "korder.dev/required" "values" "['true']"). */}}
{{- define "korder.podSays" -}}
(has(object.metadata.annotations) && '{{ .key }}' in object.metadata.annotations && object.metadata.annotations['{{ .key }}'] in {{ .values }}) ||
(has(object.metadata.labels) && '{{ .key }}' in object.metadata.labels && object.metadata.labels['{{ .key }}'] in {{ .values }})
{{- end }}

{{/* The pod has an annotation or a label with this key. Call with the key. */}}
{{- define "korder.podMentions" -}}
((has(object.metadata.annotations) && '{{ . }}' in object.metadata.annotations) || (has(object.metadata.labels) && '{{ . }}' in object.metadata.labels))
{{- end }}

{{/* The value of the pod's annotation, or of its label where it has no such annotation, or else a default.
     Call with (dict "key" "korder.dev/mode" "default" "preferred"). */}}
{{- define "korder.podWord" -}}
(has(object.metadata.annotations) && '{{ .key }}' in object.metadata.annotations ? object.metadata.annotations['{{ .key }}'] : has(object.metadata.labels) && '{{ .key }}' in object.metadata.labels ? object.metadata.labels['{{ .key }}'] : '{{ .default }}')
{{- end }}

{{/* The pod stands behind korder's gate already. */}}
{{- define "korder.isGated" -}}
(has(object.metadata.labels) && 'korder.dev/claim' in object.metadata.labels && object.metadata.labels['korder.dev/claim'] == 'pending' &&
has(object.spec.schedulingGates) && object.spec.schedulingGates.exists(gate, gate.name == 'korder.dev/claim'))
{{- end }}

{{/* The API server itself can gate the pod, which asks for a ticket: it passes by the scheduler, it is not to be refused for
     want of a ticket, and all that it asks is plainly well formed; of a pod that a ClaimPolicy has gated, the policy's
     selector of tickets is. Whatever is not goes to the webhook, which knows every rule and says what is wrong. */}}
{{- define "korder.gatedByServer" -}}
{{- $name := "'^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$'" -}}
{{- $word := "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?" -}}
!has(object.spec.nodeName) &&
!(has(object.metadata.annotations) && 'kubernetes.io/config.mirror' in object.metadata.annotations) &&
{{ include "korder.podWord" (dict "key" "korder.dev/mode" "default" "preferred") }} in ['preferred', 'required'] &&
{{ include "korder.podWord" (dict "key" "korder.dev/fallback" "default" "schedule") }} in ['schedule', 'wait'] &&
{{ include "korder.podWord" (dict "key" "korder.dev/claim-timeout" "default" "30s") }}.matches('^([1-9][0-9]{0,4}[hms]){1,3}$') &&
{{- range $key := list "korder.dev/order" "korder.dev/ticket" }}
{{ include "korder.podWord" (dict "key" $key "default" "any") }}.matches({{ $name }}) &&
size({{ include "korder.podWord" (dict "key" $key "default" "any") }}) <= 253 &&
{{- end }}
((has(object.metadata.annotations) && 'korder.dev/claim-policy' in object.metadata.annotations && {{ include "korder.isGated" . }}) ||
{{ include "korder.podWord" (dict "key" "korder.dev/ticket-selector" "default" "any=any") }}.matches('^{{ $word }}={{ $word }}(,{{ $word }}={{ $word }})*$'))
{{- end }}

{{/* The pod's labels satisfy a label selector. Call with an expression for the selector. */}}
{{- define "korder.selects" -}}
{{- $has := "has(object.metadata.labels) && r.key in object.metadata.labels" -}}
(!has({{ . }}.matchLabels) || {{ . }}.matchLabels.all(key, has(object.metadata.labels) && key in object.metadata.labels && object.metadata.labels[key] == {{ . }}.matchLabels[key])) &&
(!has({{ . }}.matchExpressions) || {{ . }}.matchExpressions.all(r,
r.operator == 'In' ? {{ $has }} && object.metadata.labels[r.key] in r.values :
r.operator == 'NotIn' ? !({{ $has }} && object.metadata.labels[r.key] in r.values) :
r.operator == 'Exists' ? {{ $has }} : !({{ $has }})))
{{- end }}
