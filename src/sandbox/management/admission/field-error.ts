// Field errors in Kubernetes' words.
import type {FieldError} from '../failure.ts';

export const invalidField = (field: string, value: unknown, detail: string): FieldError => ({
  field,
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${JSON.stringify(value)}: ${detail}`,
});
export const forbiddenField = (field: string, detail: string): FieldError => ({field, reason: 'FieldValueForbidden', message: `Forbidden: ${detail}`});
export const requiredField = (field: string, detail: string): FieldError => ({field, reason: 'FieldValueRequired', message: `Required value: ${detail}`});
export const internalError = (field: string, detail: string): FieldError => ({field, reason: 'InternalError', message: `Internal error: ${detail}`});
