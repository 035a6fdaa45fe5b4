/** Fields with their label, their help, and what is wrong with them. */
import { type ReactNode, useId } from "react";
import {
  Button as AriaButton,
  NumberField as AriaNumberField,
  Switch as AriaSwitch,
  TextArea as AriaTextArea,
  TextField as AriaTextField,
  Checkbox,
  FieldError,
  Group,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  SearchField,
  Select,
  SelectValue,
  Slider,
  SliderOutput,
  SliderThumb,
  SliderTrack,
  Text,
} from "react-aria-components";
import { useWords } from "../language.tsx";
import { KIT_WORDS } from "./words.ts";

interface Common {
  readonly label: string;
  readonly help?: ReactNode;
  /** What is wrong; the field is marked while it is there. */
  readonly wrong?: string | undefined;
  readonly required?: boolean;
  readonly disabled?: boolean;
  /** The name in a form. */
  readonly name?: string;
}

interface Texts extends Common {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly type?: "text" | "email" | "password" | "url";
  readonly autoComplete?: string;
  readonly maxLength?: number;
  readonly placeholder?: string;
  readonly autoFocus?: boolean;
}

function Around({ label, help, wrong, children }: Common & { readonly children: ReactNode }): ReactNode {
  return (
    <>
      <Label>{label}</Label>
      {children}
      {help && (
        <Text slot="description" className="help">
          {help}
        </Text>
      )}
      <FieldError>{wrong}</FieldError>
    </>
  );
}

const shared = ({ required, disabled, wrong, name }: Common): object => ({
  isRequired: required ?? false,
  isDisabled: disabled ?? false,
  isInvalid: Boolean(wrong),
  validationBehavior: "aria",
  ...(name ? { name } : {}),
});

export function TextField({
  value,
  onChange,
  type = "text",
  autoComplete,
  maxLength,
  placeholder,
  autoFocus,
  ...common
}: Texts): ReactNode {
  const more = { ...(autoComplete ? { autoComplete } : {}), ...(maxLength ? { maxLength } : {}) };
  return (
    <AriaTextField
      className="field"
      value={value}
      onChange={onChange}
      type={type}
      {...more}
      {...shared(common)}
      autoFocus={autoFocus ?? false}
    >
      <Around {...common}>
        <Input {...(placeholder ? { placeholder } : {})} />
      </Around>
    </AriaTextField>
  );
}

export function TextArea({
  value,
  onChange,
  maxLength,
  placeholder,
  rows = 4,
  ...common
}: Texts & { readonly rows?: number }): ReactNode {
  return (
    <AriaTextField
      className="field"
      value={value}
      onChange={onChange}
      {...(maxLength ? { maxLength } : {})}
      {...shared(common)}
    >
      <Around {...common}>
        <AriaTextArea rows={rows} dir="auto" {...(placeholder ? { placeholder } : {})} />
      </Around>
    </AriaTextField>
  );
}

interface Numbers extends Common {
  /** NaN where it is empty. */
  readonly value: number;
  readonly onChange: (value: number) => void;
  readonly least?: number;
  readonly most?: number;
  readonly step?: number;
  readonly format?: Intl.NumberFormatOptions;
}

export function NumberField({ value, onChange, least, most, step, format, ...common }: Numbers): ReactNode {
  const words = useWords(KIT_WORDS);
  const bounds = {
    ...(least === undefined ? {} : { minValue: least }),
    ...(most === undefined ? {} : { maxValue: most }),
    ...(step === undefined ? {} : { step }),
    ...(format ? { formatOptions: format } : {}),
  };
  return (
    <AriaNumberField className="field" value={value} onChange={onChange} {...bounds} {...shared(common)}>
      <Around {...common}>
        <Group className="steps">
          <Input />
          <AriaButton slot="decrement" aria-label={words.decrease}>
            −
          </AriaButton>
          <AriaButton slot="increment" aria-label={words.increase}>
            +
          </AriaButton>
        </Group>
      </Around>
    </AriaNumberField>
  );
}

export interface Option {
  readonly id: string;
  readonly name: string;
  readonly about?: string;
}

interface Chosen extends Common {
  readonly value: string | null;
  readonly onChange: (value: string) => void;
  readonly options: readonly Option[];
  readonly placeholder?: string;
}

/** One of a list. */
export function Choice({ value, onChange, options, placeholder, ...common }: Chosen): ReactNode {
  return (
    <Select
      className="field"
      value={value}
      onChange={(key) => key !== null && onChange(String(key))}
      {...(placeholder ? { placeholder } : {})}
      {...shared(common)}
    >
      <Around {...common}>
        <AriaButton className="choice">
          <SelectValue>{({ selectedText, defaultChildren }) => selectedText || defaultChildren}</SelectValue>
          <span aria-hidden="true">▾</span>
        </AriaButton>
      </Around>
      <Popover className="popover">
        <ListBox items={options}>
          {(option) => (
            <ListBoxItem id={option.id} textValue={option.name} className="option">
              <Text slot="label">{option.name}</Text>
              {option.about && (
                <Text slot="description" className="help">
                  {option.about}
                </Text>
              )}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </Select>
  );
}

interface Ticked extends Pick<Common, "label" | "help" | "disabled"> {
  readonly on: boolean;
  readonly onChange: (on: boolean) => void;
}

/** A box that is ticked: one of several things that hold. */
export function Check({ label, help, on, onChange, disabled }: Ticked): ReactNode {
  return (
    <Checkbox className="check" isSelected={on} onChange={onChange} isDisabled={disabled ?? false}>
      <span className="box" aria-hidden="true">
        ✓
      </span>
      <span>
        {label}
        {help && <small className="help">{help}</small>}
      </span>
    </Checkbox>
  );
}

/** Something that is on or off at once. */
export function Switch({ label, help, on, onChange, disabled }: Ticked): ReactNode {
  return (
    <AriaSwitch className="switch" isSelected={on} onChange={onChange} isDisabled={disabled ?? false}>
      <span className="rail" aria-hidden="true" />
      <span>
        {label}
        {help && <small className="help">{help}</small>}
      </span>
    </AriaSwitch>
  );
}

interface Ranged extends Pick<Common, "label" | "help" | "disabled"> {
  readonly value: number;
  readonly onChange: (value: number) => void;
  /** When it is let go. */
  readonly onEnd?: (value: number) => void;
  readonly least: number;
  readonly most: number;
  readonly step: number;
  readonly written: string;
}

/** A slider. */
export function Range({
  label,
  help,
  value,
  onChange,
  onEnd,
  least,
  most,
  step,
  written,
  disabled,
}: Ranged): ReactNode {
  const id = useId();
  return (
    <Slider
      className="slider"
      value={value}
      minValue={least}
      maxValue={most}
      step={step}
      isDisabled={disabled ?? false}
      onChange={onChange}
      {...(onEnd ? { onChangeEnd: onEnd } : {})}
      {...(help ? { "aria-describedby": id } : {})}
    >
      <Label>{label}</Label>
      <SliderOutput>{written}</SliderOutput>
      <SliderTrack className="rail">
        <SliderThumb className="thumb" aria-label={label} />
      </SliderTrack>
      {help && (
        <small className="help" id={id}>
          {help}
        </small>
      )}
    </Slider>
  );
}

const nothing = (): void => undefined;

/** A search box; `onSubmit` when Enter is pressed, which never sends a form around the box. */
export function Search({
  label,
  value,
  onChange,
  onSubmit,
  placeholder,
}: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly onSubmit?: (value: string) => void;
  readonly placeholder?: string;
}): ReactNode {
  const words = useWords(KIT_WORDS);
  return (
    <SearchField className="field search" value={value} onChange={onChange} onSubmit={onSubmit ?? nothing}>
      <Label>{label}</Label>
      <Group className="steps">
        <Input {...(placeholder ? { placeholder } : {})} />
        <AriaButton aria-label={words.clear}>×</AriaButton>
      </Group>
    </SearchField>
  );
}

/** A day, as the browser asks for it: 2026-11-27; empty where none is set. */
export function DayField({
  label,
  help,
  wrong,
  value,
  onChange,
  required,
  disabled,
  least,
  most,
}: Common & {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly least?: string;
  readonly most?: string;
}): ReactNode {
  const id = useId();
  const described = [help && `${id}-help`, wrong && `${id}-wrong`].filter(Boolean).join(" ");
  return (
    <div className="field" data-invalid={wrong ? true : undefined}>
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="date"
        value={value}
        min={least}
        max={most}
        required={required}
        disabled={disabled}
        aria-invalid={Boolean(wrong)}
        {...(described ? { "aria-describedby": described } : {})}
        onChange={(event) => onChange(event.target.value)}
      />
      {help && (
        <small className="help" id={`${id}-help`}>
          {help}
        </small>
      )}
      {wrong && (
        <span className="react-aria-FieldError" id={`${id}-wrong`}>
          {wrong}
        </span>
      )}
    </div>
  );
}
